#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "mtp/order/v1/sessions.pb.h"

namespace mtp::cli {

// Whom `mtpctl sign-in` signed in at one order service: a file of the user's
// own, of mode 0600, that programs running at once share.
class KeptSession {
 public:
  // Of the order service at this address, under XDG_STATE_HOME or
  // ~/.local/state.
  explicit KeptSession(const std::string& address);

  const std::string& path() const { return path_; }

  // Nothing where nobody is signed in.
  absl::StatusOr<std::optional<order::v1::SessionTokens>> Read() const;
  absl::Status Write(const order::v1::SessionTokens& tokens) const;
  absl::Status Remove() const;

  // The tokens, renewed by `refresh` if the access token has less than a while
  // left (or in any case), while every other program waits: a refresh token
  // works once.
  using Refresh = std::function<absl::StatusOr<order::v1::SessionTokens>(
      const std::string& refresh_token)>;
  absl::StatusOr<std::optional<order::v1::SessionTokens>> Fresh(
      absl::Time now, const Refresh& refresh, bool in_any_case = false) const;

 private:
  std::string path_;
};

// A password for people's sign-in: from the file, from standard input for `-`
// or where that is no terminal, else asked for without echo.
absl::StatusOr<std::string> ReadPassword(const std::string& file,
                                         const std::string& prompt);

}  // namespace mtp::cli
