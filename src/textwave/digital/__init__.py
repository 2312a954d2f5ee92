"""Digital templates: texts, images, sounds and videos in order, approved carrier by carrier."""
