#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "mtp/order/v1/sessions.pb.h"
#include "mtp/order/v1/users.pb.h"
#include "tests/support/stack.h"

// People whom the order service itself signs in.
namespace mtp::tests {

struct Person {
  std::string subject;
  std::string username;
  std::string password;
};

// A username that nobody has.
std::string NewUsername(const std::string& stem = "nimal");

// A user as CreateUser makes one, who must change the password.
Person NewPerson(const Stack& stack, Role role);
// The same, with a password of the person's own.
Person SettledPerson(const Stack& stack, Role role);

absl::StatusOr<order::v1::SessionTokens> SignIn(const Stack& stack,
                                                const std::string& username,
                                                const std::string& password);
inline absl::StatusOr<order::v1::SessionTokens> SignIn(const Stack& stack,
                                                       const Person& person) {
  return SignIn(stack, person.username, person.password);
}
absl::StatusOr<order::v1::SessionTokens> Refresh(
    const Stack& stack, const std::string& refresh_token);
absl::StatusOr<order::v1::ChangePasswordResponse> ChangePassword(
    const Stack& stack, const order::v1::SessionTokens& session,
    const std::string& from, const std::string& to,
    const std::string& request_id = "");

// Who holds these tokens.
Client As(const Stack& stack, const order::v1::SessionTokens& session,
          Side side);
// What a side says of the token: OK, or why it does not take it.
absl::Status Welcome(const Stack& stack, const std::string& access_token,
                     Side side);
inline absl::Status Welcome(const Stack& stack,
                            const order::v1::SessionTokens& session,
                            Side side) {
  return Welcome(stack, session.access_token(), side);
}

// What a person who administers users says, by a token of the tests' own.
template <typename Response, typename Request>
absl::StatusOr<Response> Administer(const Stack& stack,
                                    const std::string& method,
                                    const Request& request) {
  return stack.As(options::v1::ROLE_MASTER_ADMIN, SIDE_ORDER)
      .Call<Response>("mtp.order.v1.UserService/" + method, request);
}
absl::Status Disable(const Stack& stack, const std::string& subject);
absl::Status Enable(const Stack& stack, const std::string& subject);

}  // namespace mtp::tests
