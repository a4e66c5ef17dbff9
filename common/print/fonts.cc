#include "common/print/fonts.h"

#include <hb-ot.h>
#include <hb.h>

#include "absl/strings/str_cat.h"
#include "common/base/characters.h"

namespace mtp::print {
namespace {

constexpr char kEllipsis[] = "\u2026";

// A character of the text and where it stands.
struct Character {
  uint32_t code = 0;
  size_t begin = 0;
  size_t end = 0;
};

// Of valid UTF-8; anything else ends the text.
std::vector<Character> CharactersOf(std::string_view text) {
  std::vector<Character> characters;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (i + size > text.size()) break;
    uint32_t code = size == 1 ? lead : lead & (0xff >> (size + 1));
    for (size_t k = 1; k < size; ++k) {
      code = code << 6 | (static_cast<uint8_t>(text[i + k]) & 0x3f);
    }
    characters.push_back({code, i, i + size});
    i += size;
  }
  return characters;
}

bool IsMark(uint32_t character) {
  switch (
      hb_unicode_general_category(hb_unicode_funcs_get_default(), character)) {
    case HB_UNICODE_GENERAL_CATEGORY_SPACING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_ENCLOSING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_NON_SPACING_MARK:
    case HB_UNICODE_GENERAL_CATEGORY_FORMAT:  // joiners
      return true;
    default:
      return false;
  }
}

// Digits, blanks and punctuation belong to no script.
bool IsCommon(uint32_t character) {
  const hb_script_t script =
      hb_unicode_script(hb_unicode_funcs_get_default(), character);
  return script == HB_SCRIPT_COMMON || script == HB_SCRIPT_INHERITED;
}

bool IsPlain(uint32_t character) {
  if (character > 0xffff || IsMark(character)) return false;
  const hb_script_t script =
      hb_unicode_script(hb_unicode_funcs_get_default(), character);
  return script == HB_SCRIPT_LATIN || script == HB_SCRIPT_GREEK ||
         script == HB_SCRIPT_CYRILLIC || script == HB_SCRIPT_COMMON;
}

// --- outlines out of a font, whose y grows upwards

struct Pen {
  Path* path;
  double scale;  // font units to the size
  Point origin;

  Point At(float x, float y) const {
    return {origin.x + scale * x, origin.y - scale * y};
  }
};

void Move(hb_draw_funcs_t*, void* pen, hb_draw_state_t*, float x, float y,
          void*) {
  const Pen& p = *static_cast<Pen*>(pen);
  p.path->Move(p.At(x, y));
}
void Line(hb_draw_funcs_t*, void* pen, hb_draw_state_t*, float x, float y,
          void*) {
  const Pen& p = *static_cast<Pen*>(pen);
  p.path->Line(p.At(x, y));
}
void Curve(hb_draw_funcs_t*, void* pen, hb_draw_state_t*, float x1, float y1,
           float x2, float y2, float x, float y, void*) {
  const Pen& p = *static_cast<Pen*>(pen);
  p.path->Curve(p.At(x1, y1), p.At(x2, y2), p.At(x, y));
}
void Close(hb_draw_funcs_t*, void* pen, hb_draw_state_t*, void*) {
  static_cast<Pen*>(pen)->path->Close();
}

// HarfBuzz turns quadratic curves into cubic ones where no function takes them.
hb_draw_funcs_t* Drawing() {
  static hb_draw_funcs_t* const drawing = [] {
    hb_draw_funcs_t* made = hb_draw_funcs_create();
    hb_draw_funcs_set_move_to_func(made, Move, nullptr, nullptr);
    hb_draw_funcs_set_line_to_func(made, Line, nullptr, nullptr);
    hb_draw_funcs_set_cubic_to_func(made, Curve, nullptr, nullptr);
    hb_draw_funcs_set_close_path_func(made, Close, nullptr, nullptr);
    hb_draw_funcs_make_immutable(made);
    return made;
  }();
  return drawing;
}

}  // namespace

Fonts::Fonts(std::vector<std::string> files) : files_(std::move(files)) {}

Fonts::~Fonts() {
  for (hb_font_t* font : fonts_) hb_font_destroy(font);
}

absl::StatusOr<std::unique_ptr<const Fonts>> Fonts::Load(
    std::vector<std::string> files) {
  if (files.empty()) return absl::InvalidArgumentError("no font is named");
  std::unique_ptr<Fonts> fonts(new Fonts(std::move(files)));
  for (const std::string& file : fonts->files_) {
    hb_blob_t* blob = hb_blob_create_from_file_or_fail(file.c_str());
    if (blob == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot read the font ", file));
    }
    hb_face_t* face = hb_face_create(blob, 0);
    hb_blob_destroy(blob);
    if (hb_face_get_glyph_count(face) == 0) {
      hb_face_destroy(face);
      return absl::InvalidArgumentError(absl::StrCat(file, " is no font"));
    }
    hb_font_t* font = hb_font_create(face);
    hb_face_destroy(face);
    hb_font_make_immutable(font);
    fonts->fonts_.push_back(font);
  }
  return fonts;
}

bool Fonts::Has(size_t font, uint32_t character) const {
  hb_codepoint_t glyph = 0;
  return hb_font_get_nominal_glyph(fonts_[font], character, &glyph) != 0;
}

// What belongs to no script stays with the letters before it, so that marks and
// joiners are shaped with them.
size_t Fonts::FontFor(uint32_t character, size_t current) const {
  if ((IsMark(character) || IsCommon(character)) && Has(current, character)) {
    return current;
  }
  for (size_t font = 0; font < fonts_.size(); ++font) {
    if (Has(font, character)) return font;
  }
  return IsMark(character) ? current : 0;
}

std::vector<FontRun> Fonts::Split(std::string_view text) const {
  std::vector<FontRun> runs;
  size_t begin = 0;
  for (const Character& character : CharactersOf(text)) {
    const size_t current = runs.empty() ? 0 : runs.back().font;
    const size_t font = FontFor(character.code, current);
    if (runs.empty() || font != current) {
      runs.push_back({font, {}});
      begin = character.begin;
    }
    runs.back().text = text.substr(begin, character.end - begin);
  }
  return runs;
}

TextLine Fonts::Lay(std::string_view text) const {
  TextLine line;
  const std::unique_ptr<hb_buffer_t, decltype(&hb_buffer_destroy)> buffer(
      hb_buffer_create(), &hb_buffer_destroy);
  for (const FontRun& run : Split(text)) {
    hb_font_t* font = fonts_[run.font];
    const double scale = 1.0 / hb_face_get_upem(hb_font_get_face(font));
    hb_buffer_reset(buffer.get());
    hb_buffer_add_utf8(buffer.get(), run.text.data(),
                       static_cast<int>(run.text.size()), 0,
                       static_cast<int>(run.text.size()));
    hb_buffer_guess_segment_properties(buffer.get());
    hb_shape(font, buffer.get(), nullptr, 0);
    unsigned int count = 0;
    const hb_glyph_info_t* glyphs =
        hb_buffer_get_glyph_infos(buffer.get(), &count);
    const hb_glyph_position_t* places =
        hb_buffer_get_glyph_positions(buffer.get(), nullptr);
    for (unsigned int i = 0; i < count; ++i) {
      Pen pen{&line.outlines,
              scale,
              {line.width + scale * places[i].x_offset,
               -scale * places[i].y_offset}};
      hb_font_get_glyph_shape(font, glyphs[i].codepoint, Drawing(), &pen);
      line.width += scale * places[i].x_advance;
    }
  }
  return line;
}

std::string Fonts::Fit(std::string_view text, double size, double width) const {
  if (Lay(text).width * size <= width) return std::string(text);
  size_t fits = 0;
  size_t too_long = CountCharacters(text);
  while (fits + 1 < too_long) {
    const size_t middle = (fits + too_long) / 2;
    const std::string cut = FirstCharacters(text, middle) + kEllipsis;
    (Lay(cut).width * size <= width ? fits : too_long) = middle;
  }
  return FirstCharacters(text, fits) + kEllipsis;
}

bool Fonts::Plain(std::string_view text) const {
  for (const Character& character : CharactersOf(text)) {
    if (!IsPlain(character.code) || !Has(0, character.code)) return false;
  }
  return true;
}

}  // namespace mtp::print
