"""Damage to files."""


def flip(path, where=0.5, bits=0x20):
    """Change a bit of the byte at that part of the file."""
    with open(path, "r+b") as f:
        f.seek(0, 2)
        at = int(f.tell() * where)
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ bits]))
