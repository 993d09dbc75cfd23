"""From text to policies and schemas: what a text may be, what Cedar's parser makes of it, and the sets people keep."""
