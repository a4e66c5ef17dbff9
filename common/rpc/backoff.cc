#include "common/rpc/backoff.h"

#include <algorithm>
#include <random>
#include <utility>

namespace mtp::rpc {

Uniform RandomUniform() {
  return [] {
    thread_local std::mt19937_64 engine{std::random_device{}()};
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
  };
}

Backoff::Backoff(Settings settings, Uniform uniform)
    : settings_(settings),
      uniform_(std::move(uniform)),
      ceiling_(settings.first) {}

absl::Duration Backoff::Next() {
  const absl::Duration wait = ceiling_ * uniform_();
  ceiling_ = std::min(ceiling_ * 2, settings_.cap);
  return wait;
}

}  // namespace mtp::rpc
