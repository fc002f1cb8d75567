"""The old API's host, `connect.jibble.io`, and its token host, written from its documentation.

What the documentation leaves open follows the framework that its tokens and filters betray
(LoopBack 3 over MongoDB), whose parsers and filters were run to see what they do.
"""
