"""`make bench-spa`: what the shipped app weighs and how soon it is there, in Chromium on a slow network."""
