#pragma once

#include <cstdint>
#include <string>

// Weights as people read them: the contract and the databases have grams.
namespace mtp {

// `62.5 kg`, `1,250 kg`, `0.035 kg`: with `decimals` places, or as many as it
// takes.
std::string Kilograms(int64_t grams);
std::string Kilograms(int64_t grams, int decimals);

// The decimals that `grams` takes as kilograms: 0 to 3.
int KilogramDecimals(int64_t grams);

// `12345` as `12,345`.
std::string Thousands(int64_t number);

}  // namespace mtp
