#include "order_service/users.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/handlers/actor.h"
#include "common/handlers/paging.h"
#include "common/rpc/token.h"
#include "common/sync/outbox.h"
#include "order_service/editing.h"
#include "order_service/errors.h"
#include "order_service/filters.h"
#include "order_service/groups.h"
#include "order_service/page_keys.h"
#include "order_service/password_calls.h"
#include "order_service/revoking.h"

namespace mtp::order {
namespace {

using handlers::Actor;
using options::v1::Role;

Uuid SubjectOf(const std::string& text) {
  return Uuid::Parse(text).value_or(Uuid{});
}

std::string RoleText(Role role) { return std::string(db::EnumText(role)); }

absl::StatusOr<const User*> FindUser(const std::string& subject,
                                     const Rows& rows) {
  const User* user = rows.users.Find(SubjectOf(subject));
  if (user == nullptr) return errors::UserNotFound(subject);
  return user;
}

absl::Status CheckEtag(const std::string& etag, const User& user) {
  if (etag.empty() || etag == user.etag()) return absl::OkStatus();
  return errors::EtagMismatch("user", user.subject.ToString());
}

// Of all who may administer, somebody else must be left who can sign in.
absl::Status CheckNotLastAdmin(const User& user, const Rows& rows) {
  if (user.disabled || user.role != options::v1::ROLE_MASTER_ADMIN) {
    return absl::OkStatus();
  }
  for (const User* other : rows.users.All()) {
    if (other->subject != user.subject && !other->disabled &&
        other->role == options::v1::ROLE_MASTER_ADMIN) {
      return absl::OkStatus();
    }
  }
  return errors::LastMasterAdmin(user.username);
}

void WantAdmins(Rows& rows) {
  rows.users_of_role.Want(RoleText(options::v1::ROLE_MASTER_ADMIN));
}

void Audit(const User& user, std::string_view action, sync::Change change,
           Context& context) {
  change.insert(change.begin(), {"username", user.username});
  context.Audit("user", user.subject.ToString(), action, change);
}

// --- UpdateUser

absl::Status CheckFields(const v1::UserChange& change,
                         const std::vector<std::string>& fields) {
  std::vector<errors::FieldViolation> violations;
  for (const std::string& field : fields) {
    const bool given = field == "username"
                           ? !change.username().empty()
                           : change.role() != options::v1::ROLE_UNSPECIFIED;
    if (!given) violations.push_back({"user." + field, "is required"});
  }
  if (violations.empty()) return absl::OkStatus();
  return errors::InvalidFields(violations);
}

// --- GetUser, ListUsers

const db::Statement kGet =
    db::Compose({"SELECT ", kUserColumns,
                 " FROM admin.user_account WHERE subject = $1::uuid"});

// A page begins behind a user's subject ($6, NULL on the first page), username,
// role, and times. Each order names all of them, for a parameter must have a
// type.
constexpr std::string_view kFiltered = R"(
  FROM admin.user_account
  WHERE ($1::text = '' OR strpos(lower(username), lower($1::text)) > 0)
    AND (cardinality($2::text[]) = 0 OR role = ANY ($2::text[]))
    AND ($3::boolean IS NULL OR disabled = $3::boolean)
    AND ($4::text = '' OR lower(username) = lower($4::text))
    AND ($6::uuid IS NULL OR
)";
constexpr std::string_view kByUsername = R"(
    lower(username) > $7::text AND ($8::text, $9::timestamptz, $10::timestamptz) IS NOT NULL)
  ORDER BY lower(username) LIMIT $5::bigint
)";
constexpr std::string_view kByRole = R"(
    (role, lower(username)) > ($8::text, $7::text)
      AND ($9::timestamptz, $10::timestamptz) IS NOT NULL)
  ORDER BY role, lower(username) LIMIT $5::bigint
)";
constexpr std::string_view kByCreation = R"(
    (created_at, subject) < ($9::timestamptz, $6::uuid)
      AND ($7::text, $8::text, $10::timestamptz) IS NOT NULL)
  ORDER BY created_at DESC, subject DESC LIMIT $5::bigint
)";
constexpr std::string_view kByLastSignIn = R"(
    (coalesce(last_signed_in_at, 'epoch'), subject) < ($10::timestamptz, $6::uuid)
      AND ($7::text, $8::text, $9::timestamptz) IS NOT NULL)
  ORDER BY coalesce(last_signed_in_at, 'epoch') DESC, subject DESC LIMIT $5::bigint
)";
constexpr size_t kPageKeys = 5;

db::Statement List(std::string_view order) {
  return db::Compose({"SELECT ", kUserColumns, kFiltered, order});
}
const db::Statement kListByUsername = List(kByUsername);
const db::Statement kListByRole = List(kByRole);
const db::Statement kListByCreation = List(kByCreation);
const db::Statement kListByLastSignIn = List(kByLastSignIn);

const db::Statement& ListIn(v1::ListUsersOrder order) {
  switch (order) {
    case v1::LIST_USERS_ORDER_ROLE:
      return kListByRole;
    case v1::LIST_USERS_ORDER_CREATED_DESCENDING:
      return kListByCreation;
    case v1::LIST_USERS_ORDER_LAST_SIGNED_IN_DESCENDING:
      return kListByLastSignIn;
    default:
      return kListByUsername;
  }
}

absl::Status AskUser(const v1::GetUserRequest& request,
                     db::Exchange& exchange) {
  exchange.Add(kGet, db::Params().Add(SubjectOf(request.subject())));
  return absl::OkStatus();
}

absl::StatusOr<v1::GetUserResponse> AnswerUser(
    const v1::GetUserRequest& request, const db::Results& results) {
  if (results[0].empty()) return errors::UserNotFound(request.subject());
  v1::GetUserResponse response;
  *response.mutable_user() = db::Read<User>(results[0][0]).Shown(absl::Now());
  return response;
}

absl::Status AddPageKeys(const v1::ListUsersRequest& request,
                         db::Params& params) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, kPageKeys));
  if (keys.empty()) {
    params.Add(std::optional<Uuid>())
        .Add(std::string())
        .Add(std::string())
        .Add(absl::UnixEpoch())
        .Add(absl::UnixEpoch());
    return absl::OkStatus();
  }
  const auto subject = Uuid::Parse(keys[0]);
  if (!subject.has_value()) return handlers::PageTokenInvalid();
  absl::Time created_at, last_signed_in_at;
  RETURN_IF_ERROR(ReadPageKey(keys[3], created_at));
  RETURN_IF_ERROR(ReadPageKey(keys[4], last_signed_in_at));
  params.Add(*subject)
      .Add(keys[1])
      .Add(keys[2])
      .Add(created_at)
      .Add(last_signed_in_at);
  return absl::OkStatus();
}

absl::Status AskUsers(const v1::ListUsersRequest& request,
                      db::Exchange& exchange) {
  const std::vector<std::string> roles = EnumTexts<Role>(request.roles());
  db::Params params;
  params.Add(request.search())
      .Array(roles)
      .Add(request.has_disabled() ? std::optional(request.disabled())
                                  : std::nullopt)
      .Add(request.username())
      .Add(handlers::PageSize(request.page_size()) + 1);
  RETURN_IF_ERROR(AddPageKeys(request, params));
  exchange.Add(ListIn(request.order_by()), std::move(params));
  return absl::OkStatus();
}

absl::StatusOr<v1::ListUsersResponse> AnswerUsers(
    const v1::ListUsersRequest& request, const db::Results& results) {
  const int64_t page_size = handlers::PageSize(request.page_size());
  const absl::Time now = absl::Now();
  v1::ListUsersResponse response;
  User last;
  for (const db::Row row : results[0]) {
    if (response.users_size() == page_size) {
      response.set_next_page_token(handlers::NextPageToken(
          request,
          {last.subject.ToString(), last.folded_username(), RoleText(last.role),
           PageKey(last.created_at),
           PageKey(last.last_signed_in_at.value_or(absl::UnixEpoch()))}));
      break;
    }
    last = db::Read<User>(row);
    *response.add_users() = last.Shown(now);
  }
  return response;
}

void AddReading(Queries& queries) {
  queries.Add("mtp.order.v1.UserService/GetUser", AskUser, AnswerUser);
  queries.Add("mtp.order.v1.UserService/ListUsers", AskUsers, AnswerUsers);
  AddGroups(queries);
}

// --- routes

// A change of one user that brings no password.
template <typename Request, typename Response>
void AddChange(IdentityParts& parts, std::string_view method,
               void (*touch)(const Request&, Rows&),
               absl::StatusOr<Response> (*decide)(const Request&, Context&,
                                                  Rows&)) {
  parts.commands.router().Route(
      method, [&parts, touch, decide](std::unique_ptr<rpc::Call> call) {
        const auto request = std::make_shared<const Request>(
            static_cast<const Request&>(*call->message));
        DoRevoking(
            parts.commands, parts.revocations, SubjectOf(request->subject()),
            std::move(call),
            {.touch = [request, touch](Rows& rows) { touch(*request, rows); },
             .decide = [request, decide](Context& context, Rows& rows)
                 -> absl::StatusOr<std::string> {
               ASSIGN_OR_RETURN(const Response response,
                                decide(*request, context, rows));
               return response.SerializeAsString();
             }});
      });
}

template <typename Request>
void TouchWithAdmins(const Request& request, Rows& rows) {
  TouchUser(SubjectOf(request.subject()), rows);
  WantAdmins(rows);
}

void TouchEnableUser(const v1::EnableUserRequest& request, Rows& rows) {
  TouchUser(SubjectOf(request.subject()), rows);
}

void CreateUser(IdentityParts& parts, std::unique_ptr<rpc::Call> call) {
  const SecretPtr password = TakeSecret(*call, "password");
  const auto request = std::make_shared<const v1::CreateUserRequest>(
      static_cast<const v1::CreateUserRequest&>(*call->message));
  if (const std::string why = WeaknessOf(password->text, request->username());
      !why.empty()) {
    return call->Fail(errors::PasswordTooWeak("password", why));
  }
  InPool(
      parts.pool, std::move(call),
      [&parts, password, request](std::unique_ptr<rpc::Call> mine) {
        if (absl::Status bound = BindSecrets(parts.hasher, {password}, *mine);
            !bound.ok()) {
          return mine->Fail(bound);
        }
        const absl::StatusOr<std::string> hash =
            parts.hasher.Hash(password->text);
        if (!hash.ok()) return mine->Fail(hash.status());
        parts.commands.Do(
            std::move(mine),
            {.touch = [](Rows&) {},
             .decide = [request, hash = *hash](Context& context, Rows& rows)
                 -> absl::StatusOr<std::string> {
               ASSIGN_OR_RETURN(
                   const v1::CreateUserResponse response,
                   DecideCreateUser(*request, hash, context, rows));
               return response.SerializeAsString();
             }});
      });
}

void HashAndReset(
    IdentityParts& parts, const SecretPtr& password,
    const std::shared_ptr<const v1::ResetPasswordRequest>& request,
    std::unique_ptr<rpc::Call> call) {
  if (absl::Status bound = BindSecrets(parts.hasher, {password}, *call);
      !bound.ok()) {
    return call->Fail(bound);
  }
  const absl::StatusOr<std::string> hash = parts.hasher.Hash(password->text);
  if (!hash.ok()) return call->Fail(hash.status());
  const Uuid subject = SubjectOf(request->subject());
  DoRevoking(parts.commands, parts.revocations, subject, std::move(call),
             {.touch = [subject](Rows& rows) { TouchUser(subject, rows); },
              .decide = [request, hash = *hash](Context& context, Rows& rows)
                  -> absl::StatusOr<std::string> {
                ASSIGN_OR_RETURN(
                    const v1::ResetPasswordResponse response,
                    DecideResetPassword(*request, hash, context, rows));
                return response.SerializeAsString();
              }});
}

// The username, which the password must not contain, is read first.
void ResetPassword(IdentityParts& parts, std::unique_ptr<rpc::Call> call) {
  const SecretPtr password = TakeSecret(*call, "password");
  const auto request = std::make_shared<const v1::ResetPasswordRequest>(
      static_cast<const v1::ResetPasswordRequest&>(*call->message));
  db::Exchange exchange;
  exchange.Add(kGet, db::Params().Add(SubjectOf(request->subject())));
  ReadFirst(
      parts.queries, std::move(exchange), std::move(call),
      [&parts, password, request](std::unique_ptr<rpc::Call> read,
                                  const db::Results& results) {
        const std::string username =
            results[0].empty() ? "" : db::Read<User>(results[0][0]).username;
        if (const std::string why = WeaknessOf(password->text, username);
            !why.empty()) {
          return read->Fail(errors::PasswordTooWeak("password", why));
        }
        InPool(parts.pool, std::move(read),
               [&parts, password, request](std::unique_ptr<rpc::Call> mine) {
                 HashAndReset(parts, password, request, std::move(mine));
               });
      });
}

}  // namespace

absl::StatusOr<v1::CreateUserResponse> DecideCreateUser(
    const v1::CreateUserRequest& request, const std::string& password_hash,
    Context& context, Rows& rows) {
  const Actor actor = Actor::Of(context.caller());
  const User& user = rows.users.Insert({.subject = context.NewId(),
                                        .username = request.username(),
                                        .role = request.role(),
                                        .password_hash = password_hash,
                                        .must_change_password = true,
                                        .password_changed_at = context.now(),
                                        .created_by = actor.subject,
                                        .created_by_username = actor.username,
                                        .created_by_role = actor.role,
                                        .created_at = context.now(),
                                        .changed_at = context.now()});
  Audit(user, "created", {{"role", RoleText(user.role)}}, context);
  v1::CreateUserResponse response;
  *response.mutable_user() = user.Shown(context.now());
  return response;
}

absl::StatusOr<v1::UpdateUserResponse> DecideUpdateUser(
    const v1::UpdateUserRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const std::vector<std::string> fields,
                   FieldsToChange(request.update_mask(), request.user()));
  RETURN_IF_ERROR(CheckFields(request.user(), fields));
  ASSIGN_OR_RETURN(const User* found, FindUser(request.subject(), rows));
  RETURN_IF_ERROR(CheckEtag(request.etag(), *found));
  const bool names_role =
      std::find(fields.begin(), fields.end(), "role") != fields.end();
  const bool new_role = names_role && request.user().role() != found->role;
  if (new_role) RETURN_IF_ERROR(CheckNotLastAdmin(*found, rows));

  User& user = rows.users.Edit(*found);
  sync::Change change;
  if (std::find(fields.begin(), fields.end(), "username") != fields.end()) {
    change.emplace_back("before", user.username);
    user.username = request.user().username();
  }
  v1::UpdateUserResponse response;
  if (new_role) {
    change.emplace_back("role_before", RoleText(user.role));
    user.role = request.user().role();
    change.emplace_back("role", RoleText(user.role));
    EndSessions(user.subject, Uuid{}, "USER_CHANGED", context.now(), rows);
    response.set_sync_token(RevokeTokens(user, context, rows));
  }
  user.Changed(context.now());
  Audit(user, "updated", std::move(change), context);
  *response.mutable_user() = user.Shown(context.now());
  return response;
}

absl::StatusOr<v1::DisableUserResponse> DecideDisableUser(
    const v1::DisableUserRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const User* found, FindUser(request.subject(), rows));
  RETURN_IF_ERROR(CheckNotLastAdmin(*found, rows));
  v1::DisableUserResponse response;
  if (found->disabled) {
    const Revocation* known = rows.revocations.Find(found->subject);
    if (known != nullptr) {
      response.set_sync_token(sync::SyncToken(
          sync::kRevocation, found->subject.ToString(), known->version));
    }
    *response.mutable_user() = found->Shown(context.now());
    return response;
  }
  User& user = rows.users.Edit(*found);
  user.disabled = true;
  user.disabled_at = context.now();
  user.Changed(context.now());
  EndSessions(user.subject, Uuid{}, "USER_DISABLED", context.now(), rows);
  response.set_sync_token(RevokeTokens(user, context, rows));
  Audit(user, "disabled", {}, context);
  *response.mutable_user() = user.Shown(context.now());
  return response;
}

absl::StatusOr<v1::EnableUserResponse> DecideEnableUser(
    const v1::EnableUserRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const User* found, FindUser(request.subject(), rows));
  User& user = rows.users.Edit(*found);
  v1::EnableUserResponse response;
  user.Set(Guesses{});
  if (user.disabled) {
    user.disabled = false;
    user.disabled_at.reset();
    response.set_sync_token(RevokeTokens(user, context, rows));
  }
  user.Changed(context.now());
  Audit(user, "enabled", {}, context);
  *response.mutable_user() = user.Shown(context.now());
  return response;
}

absl::StatusOr<v1::DeleteUserResponse> DecideDeleteUser(
    const v1::DeleteUserRequest& request, Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const User* found, FindUser(request.subject(), rows));
  RETURN_IF_ERROR(CheckEtag(request.etag(), *found));
  RETURN_IF_ERROR(CheckNotLastAdmin(*found, rows));
  v1::DeleteUserResponse response;
  *response.mutable_user() = found->Shown(context.now());
  // The subject is never given again, so its tokens stay refused for good.
  User gone = *found;
  gone.disabled = true;
  response.set_sync_token(RevokeTokens(gone, context, rows));
  Audit(gone, "deleted", {{"role", RoleText(gone.role)}}, context);
  rows.users.Remove(*found);
  return response;
}

absl::StatusOr<v1::ResetPasswordResponse> DecideResetPassword(
    const v1::ResetPasswordRequest& request, const std::string& password_hash,
    Context& context, Rows& rows) {
  ASSIGN_OR_RETURN(const User* found, FindUser(request.subject(), rows));
  User& user = rows.users.Edit(*found);
  user.password_hash = password_hash;
  user.must_change_password = true;
  user.password_changed_at = context.now();
  user.Set(Guesses{});
  user.Changed(context.now());
  EndSessions(user.subject, Uuid{}, "PASSWORD_CHANGED", context.now(), rows);
  v1::ResetPasswordResponse response;
  response.set_sync_token(RevokeTokens(user, context, rows));
  Audit(user, "password_reset", {}, context);
  *response.mutable_user() = user.Shown(context.now());
  return response;
}

void AddUsers(IdentityParts& parts) {
  AddReading(parts.queries);
  rpc::Router& router = parts.commands.router();
  router.Route("mtp.order.v1.UserService/CreateUser",
               [&parts](std::unique_ptr<rpc::Call> call) {
                 CreateUser(parts, std::move(call));
               });
  router.Route("mtp.order.v1.UserService/ResetPassword",
               [&parts](std::unique_ptr<rpc::Call> call) {
                 ResetPassword(parts, std::move(call));
               });
  AddChange(parts, "mtp.order.v1.UserService/UpdateUser",
            TouchWithAdmins<v1::UpdateUserRequest>, DecideUpdateUser);
  AddChange(parts, "mtp.order.v1.UserService/DisableUser",
            TouchWithAdmins<v1::DisableUserRequest>, DecideDisableUser);
  AddChange(parts, "mtp.order.v1.UserService/EnableUser", TouchEnableUser,
            DecideEnableUser);
  AddChange(parts, "mtp.order.v1.UserService/DeleteUser",
            TouchWithAdmins<v1::DeleteUserRequest>, DecideDeleteUser);
}

void AddForeignUsers(Commands& commands, Queries& queries) {
  AddReading(queries);
  for (const char* method : {"CreateUser", "UpdateUser", "DisableUser",
                             "EnableUser", "DeleteUser", "ResetPassword"}) {
    commands.router().Route(std::string("mtp.order.v1.UserService/") + method,
                            [](std::unique_ptr<rpc::Call> call) {
                              call->Fail(errors::ExternalIdentity());
                            });
  }
}

}  // namespace mtp::order
