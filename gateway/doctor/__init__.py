"""`lexgate doctor`: looks at the settings and all that they point at, and names the cause and the remedy."""

from gateway.doctor.examination import examine
from gateway.doctor.finding import Finding

__all__ = ["Finding", "examine"]
