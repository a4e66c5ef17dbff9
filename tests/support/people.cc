#include "tests/support/people.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/processing/v1/locations.pb.h"
#include "tests/support/story.h"

namespace mtp::tests {

namespace ord = order::v1;

std::string NewUsername(const std::string& stem) {
  return absl::StrCat(stem, "-", NewRequestId().substr(19));
}

Person NewPerson(const Stack& stack, Role role) {
  ord::CreateUserRequest request;
  request.set_username(NewUsername());
  request.set_role(role);
  request.set_password("four wet umbrellas indoors");
  const auto made =
      Administer<ord::CreateUserResponse>(stack, "CreateUser", request);
  INFO(made.status().ToString());
  REQUIRE(made.ok());
  return {made->user().subject(), made->user().username(), request.password()};
}

Person SettledPerson(const Stack& stack, Role role) {
  Person person = NewPerson(stack, role);
  const auto session = SignIn(stack, person);
  REQUIRE(session.ok());
  const std::string own = "some blue morning ferries";
  const auto changed = ChangePassword(stack, *session, person.password, own);
  INFO(changed.status().ToString());
  REQUIRE(changed.ok());
  person.password = own;
  return person;
}

absl::StatusOr<ord::SessionTokens> SignIn(const Stack& stack,
                                          const std::string& username,
                                          const std::string& password) {
  ord::SignInRequest request;
  request.set_username(username);
  request.set_password(password);
  const auto response = stack.Stranger(SIDE_ORDER)
                            .Call<ord::SignInResponse>(
                                "mtp.order.v1.SessionService/SignIn", request);
  if (!response.ok()) return response.status();
  return response->session();
}

absl::StatusOr<ord::SessionTokens> Refresh(const Stack& stack,
                                           const std::string& refresh_token) {
  ord::RefreshSessionRequest request;
  request.set_refresh_token(refresh_token);
  const auto response =
      stack.Stranger(SIDE_ORDER)
          .Call<ord::RefreshSessionResponse>(
              "mtp.order.v1.SessionService/RefreshSession", request);
  if (!response.ok()) return response.status();
  return response->session();
}

absl::StatusOr<ord::ChangePasswordResponse> ChangePassword(
    const Stack& stack, const ord::SessionTokens& session,
    const std::string& from, const std::string& to,
    const std::string& request_id) {
  ord::ChangePasswordRequest request;
  request.set_request_id(request_id);
  request.set_current_password(from);
  request.set_new_password(to);
  return As(stack, session, SIDE_ORDER)
      .Call<ord::ChangePasswordResponse>(
          "mtp.order.v1.SessionService/ChangePassword", request);
}

Client As(const Stack& stack, const ord::SessionTokens& session, Side side) {
  return stack.Stranger(side, "Bearer " + session.access_token());
}

absl::Status Welcome(const Stack& stack, const std::string& access_token,
                     Side side) {
  return stack.Stranger(side, "Bearer " + access_token)
      .Send(side == SIDE_ORDER
                ? "mtp.order.v1.PlanService/ListPlans"
                : "mtp.processing.v1.LocationService/ListLocations",
            {""})
      .status;
}

absl::Status Disable(const Stack& stack, const std::string& subject) {
  ord::DisableUserRequest request;
  request.set_subject(subject);
  return Administer<ord::DisableUserResponse>(stack, "DisableUser", request)
      .status();
}

absl::Status Enable(const Stack& stack, const std::string& subject) {
  ord::EnableUserRequest request;
  request.set_subject(subject);
  return Administer<ord::EnableUserResponse>(stack, "EnableUser", request)
      .status();
}

}  // namespace mtp::tests
