#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace CLI {
class App;
}

namespace mtp::order {

// How people prove who they are, where the order service itself signs them in.
struct IdentitySettings {
  // Otherwise the company's provider does.
  bool embedded = true;

  // What a stolen access token is worth at most, where nobody notices.
  int access_token_seconds = 600;
  // A refresh token that nobody used for so long, and a session at all.
  int refresh_token_hours = 168;
  int session_days = 30;

  // Argon2id: memory and passes of one hash.
  int password_memory_mib = 64;
  int password_passes = 3;
  // Hashes at one time, and how many may wait for their turn.
  int password_threads = 2;
  int password_waiting_limit = 64;

  // After so many wrong passwords in a row sign-in is refused for a while,
  // which doubles with each further one.
  int lock_after = 5;
  int lock_seconds = 30;
  int lock_limit_seconds = 900;

  // For how long a key signs, and how long before that it is published.
  int signing_key_seconds = 30 * 86'400;
  int signing_key_lead_seconds = 86'400;
  // Encrypts the private keys in the database; empty: they lie there as they
  // are.
  std::string signing_key_secret_file;
};

// What the plant decides for itself.
struct Settings {
  // In whose days plans, schedules and shifts count.
  absl::TimeZone time_zone = absl::UTCTimeZone();
  // A dispatch that leaves less than this part of the quantity behind closes
  // the shipment short instead of splitting off the rest, in millionths: nobody
  // sends a truck for it. 5,000 is 0.5 %.
  int64_t closed_short_tolerance_ppm = 5'000;
  // Rows of one planning file. All of them are held in memory and stored in one
  // transaction; the contract allows no more than a million.
  int64_t plan_import_row_limit = 1'000'000;
  // The same of one file of open orders; the contract allows no more.
  int64_t request_import_row_limit = 100'000;
  IdentitySettings identity;
};

// Adds a flag and an environment variable for each.
void AddFlags(CLI::App& app, const std::string& prefix, Settings& settings);

}  // namespace mtp::order
