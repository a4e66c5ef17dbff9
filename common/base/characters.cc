#include "common/base/characters.h"

#include <algorithm>
#include <cstdint>

namespace mtp {
namespace {

bool BeginsCharacter(char byte) {
  return (static_cast<uint8_t>(byte) & 0xc0) != 0x80;
}

}  // namespace

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), BeginsCharacter));
}

std::string FirstCharacters(std::string_view text, size_t limit) {
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (BeginsCharacter(text[i]) && count++ == limit)
      return std::string(text.substr(0, i));
  }
  return std::string(text);
}

}  // namespace mtp
