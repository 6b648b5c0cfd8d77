"""What happened elsewhere: from lexoffice to the gateway, between replicas, and on to browsers."""
