"""The current API's words: OData v4 as its hosts speak it."""
