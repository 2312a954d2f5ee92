"""Where platforms call Textwave."""
