"""What is asked of a server, and what follows from its answers: plan, walk, sweep, verdict."""
