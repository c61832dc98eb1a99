"""The frame around the workbenches: menus, header, files, start."""
