"""Pictures of planes: their colours, contours, keys and grids."""
