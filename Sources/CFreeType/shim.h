#pragma once
#include <ft2build.h>
#include FT_FREETYPE_H

// Macros that Swift does not import.

/// Anti-aliased glyphs, hinted only in height: sharp horizontal strokes, true widths.
static const FT_Int32 freetype_render_flags =
    FT_LOAD_RENDER | FT_LOAD_FORCE_AUTOHINT | FT_LOAD_TARGET_LIGHT;
