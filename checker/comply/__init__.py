"""The hoster's procedure as data, and the findings of a thread to a verdict."""
