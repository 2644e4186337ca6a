"""What all rooms use: errors, files, the network guard, what is bundled."""
