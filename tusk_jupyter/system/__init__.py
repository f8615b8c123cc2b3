"""What differs by platform, each in one place: folders, sockets, locks, processes. Linux is what is tested."""
