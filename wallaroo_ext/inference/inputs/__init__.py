"""Converting rows of any form to the tables that are sent."""
