"""The host side of the VM tests: builds Debian machines, keeps snapshots of them, runs cases in them, reports.

It must not know what Lilium does: what a test expects stands in Tests/VM/guest.
"""
