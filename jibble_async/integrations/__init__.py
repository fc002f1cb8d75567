"""What joins the client to other people's tools; each module needs the extra that it names."""
