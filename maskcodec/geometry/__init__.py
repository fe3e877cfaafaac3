"""What a mask becomes between pixels and text: plain arrays, no text, no pixels."""
