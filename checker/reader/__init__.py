"""Towards a second reader beside the rules: a small trained encoder that says which labels a segment may carry.

Here are its tokenizer, the base weights' format, the network and the training. It is not part of the
judgement yet: nothing of the service imports it. Training needs the extra ``train``.
"""
