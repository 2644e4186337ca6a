"""What all rooms stand on: errors, files, the network guard, what is bundled."""
