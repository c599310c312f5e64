"""A second reader beside the rules: a small trained encoder that says which labels a segment may carry.

It never grants alone what the hoster's table does not let it grant (``rules/procedure.toml``, ``[reader]``);
it is an alarm, a relevance filter and a source of recall. Running needs onnxruntime and numpy only;
training needs the extra ``train``.
"""
