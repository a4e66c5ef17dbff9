#pragma once

#include "order_service/identity.h"

// Users and their groups.
namespace mtp::order {

// Where the company's provider signs in, what changes something answers
// EXTERNAL_IDENTITY (AddForeignUsers).
void AddUsers(IdentityParts& parts);
void AddForeignUsers(Commands& commands, Queries& queries);

// The decisions, for AddUsers and for tests. `password_hash` is of the
// request's password, which is not in the request any more.
absl::StatusOr<v1::CreateUserResponse> DecideCreateUser(
    const v1::CreateUserRequest& request, const std::string& password_hash,
    Context& context, Rows& rows);
absl::StatusOr<v1::UpdateUserResponse> DecideUpdateUser(
    const v1::UpdateUserRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::DisableUserResponse> DecideDisableUser(
    const v1::DisableUserRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::EnableUserResponse> DecideEnableUser(
    const v1::EnableUserRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::DeleteUserResponse> DecideDeleteUser(
    const v1::DeleteUserRequest& request, Context& context, Rows& rows);
absl::StatusOr<v1::ResetPasswordResponse> DecideResetPassword(
    const v1::ResetPasswordRequest& request, const std::string& password_hash,
    Context& context, Rows& rows);

}  // namespace mtp::order
