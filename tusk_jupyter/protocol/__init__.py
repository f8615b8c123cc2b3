"""The wire: what clients, the core and drivers say to each other, and nothing about how they do it.

`control` is client to core, `driver` is core to driver, `stream` is what rides on the data; `codec` turns each into bytes.
"""
