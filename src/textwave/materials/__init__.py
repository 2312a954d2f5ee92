"""The library of images, videos and sounds that digital messages are made of."""
