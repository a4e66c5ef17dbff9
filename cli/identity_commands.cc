#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/fields.h"
#include "cli/kept_session.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "common/base/errors.h"
#include "common/base/uuid.h"
#include "mtp/order/v1/sessions.pb.h"
#include "mtp/order/v1/users.pb.h"

namespace mtp::cli {
namespace {

using namespace order::v1;  // NOLINT: this file's whole subject

constexpr char kUser[] = "USER";
constexpr char kUserHelp[] = "The username, or the subject";
constexpr char kPasswordHelp[] =
    "File whose first line is the password; - is standard input. Without it "
    "the password is asked for";

std::string SessionText(const SessionTokens& tokens) {
  std::string text = absl::StrCat(
      tokens.username(), " (", EnumText(tokens.role()), "), until ",
      TimeText(tokens.refresh_expires_at()), " UTC if nobody calls before\n");
  if (tokens.must_change_password()) {
    absl::StrAppend(&text,
                    "The password was given by another person: mtpctl "
                    "change-password comes first.\n");
  }
  return text;
}

// Prints whose session it is; tokens are not for eyes.
absl::Status Show(Session& session, SessionTokens tokens) {
  tokens.clear_access_token();
  tokens.clear_refresh_token();
  return session.Show(tokens, [&] { return SessionText(tokens); });
}

// --- one's own session

void AddSignIn(CLI::App& app, Session& session) {
  CLI::App& command = *app.add_subcommand(
      "sign-in", "Signs in; the calls from then on are this person's");
  const auto username = std::make_shared<std::string>();
  const auto file = std::make_shared<std::string>();
  command.add_option("USERNAME", *username, "Who")->required();
  command.add_option("--password-file", *file, kPasswordHelp)
      ->type_name("FILE");
  command.callback([&session, username, file] {
    session.Do([&session, username, file] {
      SignInRequest request;
      SignInResponse response;
      request.set_username(*username);
      ASSIGN_OR_RETURN(*request.mutable_password(),
                       ReadPassword(*file, "Password of " + *username));
      RETURN_IF_ERROR(session.Call(request, response));
      RETURN_IF_ERROR(session.Kept().Write(response.session()));
      return Show(session, response.session());
    });
  });
}

// Whose session it is that ends, or changes its password.
absl::Status RequireSomebody(Session& session) {
  if (!session.settings().token.empty() || !session.settings().as.empty())
    return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<SessionTokens> tokens,
                   session.Kept().Read());
  if (tokens.has_value()) return absl::OkStatus();
  return errors::Unauthenticated("NOT_SIGNED_IN", "nobody is signed in");
}

void AddSignOut(CLI::App& app, Session& session) {
  CLI::App& command =
      *app.add_subcommand("sign-out", "Ends the session of sign-in");
  const auto request = std::make_shared<SignOutRequest>();
  command.add_flag_callback(
      "--everywhere", [request] { request->set_everywhere(true); },
      "All sessions of the person, on every machine");
  command.callback([&session, request] {
    session.Do([&session, request]() -> absl::Status {
      RETURN_IF_ERROR(RequireSomebody(session));
      SignOutResponse response;
      const absl::Status status = session.Call(*request, response);
      // Who is out already need not keep what is worth nothing.
      if (status.ok() || absl::IsUnauthenticated(status)) {
        RETURN_IF_ERROR(session.Kept().Remove());
      }
      RETURN_IF_ERROR(status);
      return session.Show(response, [&] {
        return absl::StrCat("sessions ended: ", response.ended_session_count(),
                            "\n");
      });
    });
  });
}

void AddChangePassword(CLI::App& app, Session& session) {
  CLI::App& command =
      *app.add_subcommand("change-password", "Changes one's own password");
  const auto current = std::make_shared<std::string>();
  const auto fresh = std::make_shared<std::string>();
  command.add_option("--password-file", *current, kPasswordHelp)
      ->type_name("FILE");
  command
      .add_option("--new-password-file", *fresh,
                  "The same for the new password")
      ->type_name("FILE");
  command.callback([&session, current, fresh] {
    session.Do([&session, current, fresh]() -> absl::Status {
      ChangePasswordRequest request;
      ChangePasswordResponse response;
      RETURN_IF_ERROR(RequireSomebody(session));
      ASSIGN_OR_RETURN(*request.mutable_current_password(),
                       ReadPassword(*current, "Present password"));
      ASSIGN_OR_RETURN(*request.mutable_new_password(),
                       ReadPassword(*fresh, "New password"));
      if (fresh->empty() && current->empty()) {
        ASSIGN_OR_RETURN(const std::string again,
                         ReadPassword(*fresh, "New password again"));
        if (again != request.new_password()) {
          return UsageError("the new password was typed in two ways");
        }
      }
      RETURN_IF_ERROR(session.Call(request, response));
      // The tokens from before are worth nothing any more.
      RETURN_IF_ERROR(session.RenewKept());
      return session.Show(response, [&] {
        return absl::StrCat("changed; other sessions ended: ",
                            response.ended_session_count(), "\n");
      });
    });
  });
}

void AddWhoAmI(CLI::App& app, Session& session) {
  CLI::App& command = *app.add_subcommand("whoami", "Who is signed in");
  command.callback([&session] {
    session.Do([&session]() -> absl::Status {
      ASSIGN_OR_RETURN(const std::optional<SessionTokens> tokens,
                       session.Kept().Read());
      if (!tokens.has_value()) {
        return errors::Unauthenticated("NOT_SIGNED_IN", "nobody is signed in");
      }
      return Show(session, *tokens);
    });
  });
}

// --- users

absl::StatusOr<std::string> SubjectOf(Session& session,
                                      const std::string& name) {
  if (const auto id = Uuid::Parse(name)) return id->ToString();
  ListUsersRequest request;
  ListUsersResponse response;
  request.set_username(name);
  RETURN_IF_ERROR(session.Call(request, response));
  session.ForgetCall();
  if (response.users().empty()) return errors::NotFound("user", name);
  return response.users(0).subject();
}

std::string StateText(const User& user) {
  std::string text;
  const auto add = [&](const std::string& what) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", what);
  };
  if (user.disabled()) add("disabled");
  if (user.has_locked_until()) {
    add("locked until " + TimeText(user.locked_until()));
  }
  if (user.must_change_password()) add("must change the password");
  return text;
}

std::string UsersText(const Many<User>& users) {
  Table table({"USERNAME", "GROUP", "STATE", "LAST SIGNED IN", "SUBJECT"});
  for (const User& user : users) {
    table.Row({user.username(), EnumText(user.role()), StateText(user),
               TimeText(user.last_signed_in_at()), user.subject()});
  }
  return table.Text();
}

std::string UserText(const User& user) {
  Table table;
  table.Row({"username", user.username()});
  table.Row({"group", EnumText(user.role())});
  table.Row({"subject", user.subject()});
  table.Row({"state", StateText(user)});
  table.Row({"last signed in", TimeText(user.last_signed_in_at())});
  table.Row({"created", TimeText(user.created_at())});
  table.Row({"changed", TimeText(user.updated_at())});
  table.Row({"etag", user.etag()});
  return table.Text();
}

template <typename Response>
std::string ItsUser(const Response& response) {
  return UserText(response.user());
}

// A verb about one user, whom its first word names.
template <typename Request, typename Response>
Verb<Request, Response> OfUser(CLI::App& group, Session& session,
                               const char* name, const char* help) {
  Verb<Request, Response> verb(group, session, name, help);
  verb.Looked(kUser, "", kUserHelp, true,
              [&session](const std::string& user, Request& request) {
                ASSIGN_OR_RETURN(*request.mutable_subject(),
                                 SubjectOf(session, user));
                return absl::OkStatus();
              });
  return verb;
}

// The password comes last, when all else is known to be right.
template <typename Request, typename Response>
void AskPassword(Verb<Request, Response>& verb) {
  const auto file = std::make_shared<std::string>();
  verb.command()
      .add_option("--password-file", *file, kPasswordHelp)
      ->type_name("FILE");
  verb.Prepared([file](Request& request) {
    ASSIGN_OR_RETURN(*request.mutable_password(),
                     ReadPassword(*file, "First password"));
    return absl::OkStatus();
  });
}

void AddUsers(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "user", "The people who may sign in");
  {
    Verb<CreateUserRequest, CreateUserResponse> verb(
        group, session, "create",
        "Makes a user, who must change the password at the first sign-in");
    verb.Argument("USERNAME", "username", "How the person signs in")
        .Needed("--role", "role", "The person's group");
    AskPassword(verb);
    verb.Shows(ItsUser<CreateUserResponse>);
  }
  Verb<ListUsersRequest, ListUsersResponse>(group, session, "list",
                                            "Lists users")
      .Option("--role", "roles", "Only of this group")
      .Option("--disabled", "disabled", "Only disabled ones, or only others")
      .Shows([](const auto& response) { return UsersText(response.users()); });
  OfUser<GetUserRequest, GetUserResponse>(group, session, "show", "One user")
      .Shows(ItsUser<GetUserResponse>);
  OfUser<UpdateUserRequest, UpdateUserResponse>(
      group, session, "update", "Changes a user's name or group")
      .Change("--username", "user.username", "Another username")
      .Change("--role", "user.role", "Another group; ends the tokens")
      .Shows(ItsUser<UpdateUserResponse>);
  OfUser<DisableUserRequest, DisableUserResponse>(
      group, session, "disable", "Shuts a user out, on both sides")
      .Option("--reason", "reason", "Why; kept in the audit trail")
      .Shows(ItsUser<DisableUserResponse>);
  OfUser<EnableUserRequest, EnableUserResponse>(
      group, session, "enable",
      "Lets a disabled user in again; lifts a lock after wrong passwords")
      .Shows(ItsUser<EnableUserResponse>);
  OfUser<DeleteUserRequest, DeleteUserResponse>(group, session, "delete",
                                                "Removes a user")
      .Shows(ItsUser<DeleteUserResponse>);
  {
    auto verb = OfUser<ResetPasswordRequest, ResetPasswordResponse>(
        group, session, "reset-password",
        "Gives a user another password, to be changed at the next sign-in");
    AskPassword(verb);
    verb.Shows(ItsUser<ResetPasswordResponse>);
  }
}

void AddGroups(CLI::App& app, Session& session) {
  CLI::App& group = Group(app, "group", "What users may change");
  Verb<ListGroupsRequest, ListGroupsResponse>(group, session, "list",
                                              "Lists the groups")
      .Shows([](const ListGroupsResponse& response) {
        Table table({"GROUP", "USERS", "MAY CHANGE"});
        for (const order::v1::Group& one : response.groups()) {
          table.Row({one.name(), one.user_count(), one.description()});
        }
        return table.Text();
      });
}

}  // namespace

void AddIdentityCommands(CLI::App& app, Session& session) {
  AddSignIn(app, session);
  AddSignOut(app, session);
  AddChangePassword(app, session);
  AddWhoAmI(app, session);
  AddUsers(app, session);
  AddGroups(app, session);
}

}  // namespace mtp::cli
