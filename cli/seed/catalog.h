#pragma once

#include <cstdint>
#include <span>
#include <string_view>

// What a Sri Lankan plant buys, blends and ships: the words and weights that
// the seeded plant is made of.
namespace mtp::cli {

// A grade of tea, and what a bag of it holds: leaf is bulky, dust is dense.
struct TeaGrade {
  std::string_view name;
  int64_t bag_grams;
};
struct TeaGarden {
  std::string_view name;
  // As invoices abbreviate it.
  std::string_view mark;
};
struct BlendKind {
  std::string_view code;
  std::string_view product;
  std::string_view standard;
  std::string_view grade;
};
struct FlavorKind {
  std::string_view code;
  std::string_view remarks;
};
struct HerbKind {
  std::string_view name;
  int64_t bag_grams;
};

std::span<const TeaGrade> TeaGrades();
std::span<const TeaGarden> TeaGardens();
std::span<const std::string_view> TeaBrokers();
std::span<const BlendKind> BlendKinds();
std::span<const FlavorKind> FlavorKinds();
std::span<const HerbKind> HerbKinds();
std::span<const std::string_view> Vehicles();

// Where things are put.
std::span<const std::string_view> TeaStores();
std::span<const std::string_view> BlendStores();
std::span<const std::string_view> HerbRooms();

}  // namespace mtp::cli
