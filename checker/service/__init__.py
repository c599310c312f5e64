"""The running service: one round gathers, decides (:mod:`checker.service.plan`, pure) and applies."""
