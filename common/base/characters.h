#pragma once

#include <string>
#include <string_view>

// Texts counted as people count them: by characters of valid UTF-8, not bytes.
namespace mtp {

size_t CountCharacters(std::string_view text);

std::string FirstCharacters(std::string_view text, size_t limit);

}  // namespace mtp
