#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "tests/support/agreement.h"
#include "tests/support/people.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using namespace order::v1;
using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_MASTER_ADMIN;
using options::v1::ROLE_SEEDUWA_OPERATOR;
using options::v1::ROLE_TRADER_OFFICER;

// Within this a person is out on both sides.
constexpr absl::Duration kSeconds = absl::Seconds(5);

// Nobody but the tests here makes accounts of a MASTER_ADMIN in it.
Stack& IdentityStack() { return Stack::Shared("identity"); }

std::string ReasonOf(const absl::Status& status) {
  return errors::Reason(status);
}

User Get(const Stack& stack, const std::string& subject) {
  GetUserRequest request;
  request.set_subject(subject);
  const auto response = Administer<GetUserResponse>(stack, "GetUser", request);
  REQUIRE(response.ok());
  return response->user();
}

absl::StatusOr<UpdateUserResponse> SetRole(const Stack& stack,
                                           const std::string& subject,
                                           Role role) {
  UpdateUserRequest request;
  request.set_subject(subject);
  request.mutable_user()->set_role(role);
  request.mutable_update_mask()->add_paths("role");
  return Administer<UpdateUserResponse>(stack, "UpdateUser", request);
}

bool OutOnBothSides(const Stack& stack, const SessionTokens& session) {
  return Eventually(
      [&] {
        return ReasonOf(Welcome(stack, session, SIDE_ORDER)) ==
                   "TOKEN_REVOKED" &&
               ReasonOf(Welcome(stack, session, SIDE_PROCESSING)) ==
                   "TOKEN_REVOKED";
      },
      kSeconds);
}

bool InOnBothSides(const Stack& stack, const SessionTokens& session) {
  return Eventually(
      [&] {
        return Welcome(stack, session, SIDE_ORDER).ok() &&
               Welcome(stack, session, SIDE_PROCESSING).ok();
      },
      kSeconds);
}

TEST_CASE("a new user can do nothing before the password is the person's own") {
  Stack& stack = Stack::Shared();
  const Person person = NewPerson(stack, ROLE_GRANDPASS_OFFICER);
  CHECK(Get(stack, person.subject).must_change_password());
  const auto first = SignIn(stack, person);
  REQUIRE(first.ok());
  CHECK(first->must_change_password());
  CHECK(first->role() == ROLE_GRANDPASS_OFFICER);
  CHECK(first->subject() == person.subject);
  CHECK(ReasonOf(Welcome(stack, *first, SIDE_ORDER)) ==
        "PASSWORD_CHANGE_NEEDED");
  // Seeduwa may have to ask for the key first.
  CHECK(Eventually([&] {
    return ReasonOf(Welcome(stack, *first, SIDE_PROCESSING)) ==
           "PASSWORD_CHANGE_NEEDED";
  }));

  REQUIRE(
      ChangePassword(stack, *first, person.password, "my own long words").ok());
  CHECK(OutOnBothSides(stack, *first));
  const auto next = Refresh(stack, first->refresh_token());
  REQUIRE(next.ok());
  CHECK_FALSE(next->must_change_password());
  CHECK(InOnBothSides(stack, *next));
  CHECK_FALSE(Get(stack, person.subject).must_change_password());
}

TEST_CASE("a username is one person's, in any case of letters") {
  Stack& stack = Stack::Shared();
  const Person person = NewPerson(stack, ROLE_TRADER_OFFICER);
  CreateUserRequest request;
  request.set_username(absl::AsciiStrToUpper(person.username));
  request.set_role(ROLE_TRADER_OFFICER);
  request.set_password("four wet umbrellas indoors");
  CHECK(ReasonOf(Administer<CreateUserResponse>(stack, "CreateUser", request)
                     .status()) == "USERNAME_TAKEN");
  const Person other = NewPerson(stack, ROLE_TRADER_OFFICER);
  UpdateUserRequest rename;
  rename.set_subject(other.subject);
  rename.mutable_user()->set_username(request.username());
  rename.mutable_update_mask()->add_paths("username");
  CHECK(ReasonOf(Administer<UpdateUserResponse>(stack, "UpdateUser", rename)
                     .status()) == "USERNAME_TAKEN");
  // The person's own name may be written otherwise, and signs in either way.
  rename.set_subject(person.subject);
  REQUIRE(Administer<UpdateUserResponse>(stack, "UpdateUser", rename).ok());
  CHECK(SignIn(stack, person).ok());
}

TEST_CASE("of two who take one username at once, one gets it") {
  Stack& stack = Stack::Shared();
  CreateUserRequest request;
  request.set_username(NewUsername());
  request.set_role(ROLE_TRADER_OFFICER);
  request.set_password("four wet umbrellas indoors");
  std::vector<absl::Status> outcomes(4);
  AtOnce(4, [&](int i) {
    outcomes[static_cast<size_t>(i)] =
        Administer<CreateUserResponse>(stack, "CreateUser", request).status();
  });
  int made = 0;
  for (const absl::Status& outcome : outcomes) {
    if (outcome.ok()) {
      ++made;
    } else {
      CHECK(ReasonOf(outcome) == "USERNAME_TAKEN");
    }
  }
  CHECK(made == 1);
}

TEST_CASE("a password that is easy to guess is not taken, wherever it is set") {
  Stack& stack = Stack::Shared();
  const Person person = NewPerson(stack, ROLE_TRADER_OFFICER);
  for (const std::string& weak :
       {std::string("aaaaaaaaaaaa"), std::string("123456789012"),
        std::string("Password2024!"), person.username + "99"}) {
    INFO(weak);
    CreateUserRequest create;
    create.set_username(person.username + "9");
    create.set_role(ROLE_TRADER_OFFICER);
    create.set_password(weak);
    CHECK(ReasonOf(Administer<CreateUserResponse>(stack, "CreateUser", create)
                       .status()) == "PASSWORD_TOO_WEAK");
    ResetPasswordRequest reset;
    reset.set_subject(person.subject);
    reset.set_password(weak);
    CHECK(ReasonOf(
              Administer<ResetPasswordResponse>(stack, "ResetPassword", reset)
                  .status()) == "PASSWORD_TOO_WEAK");
    const auto session = SignIn(stack, person);
    REQUIRE(session.ok());
    CHECK(ReasonOf(ChangePassword(stack, *session, person.password, weak)
                       .status()) == "PASSWORD_TOO_WEAK");
  }
}

TEST_CASE("who is disabled is out on both sides within seconds, for good") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const auto session = SignIn(stack, person);
  REQUIRE(session.ok());
  REQUIRE(InOnBothSides(stack, *session));

  REQUIRE(Disable(stack, person.subject).ok());
  // On the side that was asked at once.
  CHECK(ReasonOf(Welcome(stack, *session, SIDE_ORDER)) == "TOKEN_REVOKED");
  CHECK(OutOnBothSides(stack, *session));
  CHECK(ReasonOf(SignIn(stack, person).status()) == "SIGN_IN_REFUSED");
  CHECK(ReasonOf(Refresh(stack, session->refresh_token()).status()) ==
        "SESSION_ENDED");
  // Twice changes nothing.
  CHECK(Disable(stack, person.subject).ok());

  REQUIRE(Enable(stack, person.subject).ok());
  const auto again = SignIn(stack, person);
  REQUIRE(again.ok());
  // At once, in the same second.
  CHECK(Welcome(stack, *again, SIDE_ORDER).ok());
  CHECK(InOnBothSides(stack, *again));
  CHECK(ReasonOf(Welcome(stack, *session, SIDE_ORDER)) == "TOKEN_REVOKED");
  CHECK(ReasonOf(Welcome(stack, *session, SIDE_PROCESSING)) == "TOKEN_REVOKED");
  RequireAgreement(stack);
}

TEST_CASE("a password reset ends what was, and lets in what comes") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const auto session = SignIn(stack, person);
  REQUIRE(session.ok());
  REQUIRE(InOnBothSides(stack, *session));
  ResetPasswordRequest reset;
  reset.set_subject(person.subject);
  reset.set_password("five slow trains to Badulla");
  REQUIRE(
      Administer<ResetPasswordResponse>(stack, "ResetPassword", reset).ok());
  CHECK(ReasonOf(SignIn(stack, person).status()) == "SIGN_IN_REFUSED");
  const auto fresh = SignIn(stack, person.username, reset.password());
  REQUIRE(fresh.ok());
  CHECK(fresh->must_change_password());
  // The old token is worthless, the one of the same second is not.
  CHECK(ReasonOf(Welcome(stack, *session, SIDE_ORDER)) == "TOKEN_REVOKED");
  CHECK(ReasonOf(Welcome(stack, *fresh, SIDE_ORDER)) ==
        "PASSWORD_CHANGE_NEEDED");
  CHECK(OutOnBothSides(stack, *session));
  CHECK(ReasonOf(Welcome(stack, *fresh, SIDE_PROCESSING)) ==
        "PASSWORD_CHANGE_NEEDED");
}

TEST_CASE("a new group ends the tokens of the old one, on both sides") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const auto session = SignIn(stack, person);
  REQUIRE(session.ok());
  REQUIRE(InOnBothSides(stack, *session));
  const auto updated = SetRole(stack, person.subject, ROLE_TRADER_OFFICER);
  REQUIRE(updated.ok());
  CHECK(updated->user().role() == ROLE_TRADER_OFFICER);
  CHECK(updated->sync_token() != "");
  CHECK(OutOnBothSides(stack, *session));
  const auto next = SignIn(stack, person);
  REQUIRE(next.ok());
  CHECK(next->role() == ROLE_TRADER_OFFICER);
  // The same group again is no news to anybody.
  const auto same = SetRole(stack, person.subject, ROLE_TRADER_OFFICER);
  REQUIRE(same.ok());
  CHECK(same->sync_token() == "");
  CHECK(InOnBothSides(stack, *next));
}

TEST_CASE("who is deleted is out, and the username is free for another") {
  Stack& stack = Stack::Shared();
  const Person person = SettledPerson(stack, ROLE_SEEDUWA_OPERATOR);
  const auto session = SignIn(stack, person);
  REQUIRE(session.ok());
  REQUIRE(InOnBothSides(stack, *session));
  DeleteUserRequest request;
  request.set_subject(person.subject);
  request.set_etag("0");
  CHECK(ReasonOf(Administer<DeleteUserResponse>(stack, "DeleteUser", request)
                     .status()) == "ETAG_MISMATCH");
  request.set_etag(Get(stack, person.subject).etag());
  const auto gone =
      Administer<DeleteUserResponse>(stack, "DeleteUser", request);
  REQUIRE(gone.ok());
  CHECK(gone->user().username() == person.username);
  CHECK(OutOnBothSides(stack, *session));
  CHECK(ReasonOf(Refresh(stack, session->refresh_token()).status()) ==
        "SESSION_ENDED");
  CHECK(ReasonOf(SignIn(stack, person).status()) == "SIGN_IN_REFUSED");

  CreateUserRequest create;
  create.set_username(person.username);
  create.set_role(ROLE_SEEDUWA_OPERATOR);
  create.set_password(person.password);
  const auto made = Administer<CreateUserResponse>(stack, "CreateUser", create);
  REQUIRE(made.ok());
  CHECK(made->user().subject() != person.subject);
  CHECK(ReasonOf(Welcome(stack, *session, SIDE_ORDER)) == "TOKEN_REVOKED");
}

TEST_CASE("of all who can administer one is left, whoever asks at once") {
  Stack& stack = IdentityStack();
  const Person one = SettledPerson(stack, ROLE_MASTER_ADMIN);
  const Person other = SettledPerson(stack, ROLE_MASTER_ADMIN);
  std::vector<absl::Status> outcomes(2);
  AtOnce(2, [&](int i) {
    outcomes[static_cast<size_t>(i)] =
        Disable(stack, i == 0 ? one.subject : other.subject);
  });
  REQUIRE(outcomes[0].ok() != outcomes[1].ok());
  const Person& left = outcomes[0].ok() ? other : one;
  CHECK(ReasonOf(outcomes[outcomes[0].ok() ? 1 : 0]) == "LAST_MASTER_ADMIN");
  CHECK(ReasonOf(SetRole(stack, left.subject, ROLE_TRADER_OFFICER).status()) ==
        "LAST_MASTER_ADMIN");
  DeleteUserRequest remove;
  remove.set_subject(left.subject);
  CHECK(ReasonOf(Administer<DeleteUserResponse>(stack, "DeleteUser", remove)
                     .status()) == "LAST_MASTER_ADMIN");
  CHECK(SignIn(stack, left).ok());
}

TEST_CASE("what cannot be done to a user is said") {
  Stack& stack = Stack::Shared();
  const Person person = NewPerson(stack, ROLE_TRADER_OFFICER);
  const std::string nobody = NewRequestId();
  CHECK(ReasonOf(Disable(stack, nobody)) == "USER_NOT_FOUND");
  CHECK(ReasonOf(Enable(stack, nobody)) == "USER_NOT_FOUND");
  CHECK(ReasonOf(SetRole(stack, nobody, ROLE_TRADER_OFFICER).status()) ==
        "USER_NOT_FOUND");
  ResetPasswordRequest reset;
  reset.set_subject(nobody);
  reset.set_password("five slow trains to Badulla");
  CHECK(
      ReasonOf(Administer<ResetPasswordResponse>(stack, "ResetPassword", reset)
                   .status()) == "USER_NOT_FOUND");
  GetUserRequest get;
  get.set_subject(nobody);
  CHECK(ReasonOf(Administer<GetUserResponse>(stack, "GetUser", get).status()) ==
        "USER_NOT_FOUND");

  UpdateUserRequest update;
  update.set_subject(person.subject);
  update.mutable_user()->set_role(ROLE_SEEDUWA_OPERATOR);
  update.mutable_update_mask()->add_paths("password");
  const auto answer = [&] {
    return Administer<UpdateUserResponse>(stack, "UpdateUser", update).status();
  };
  CHECK(ReasonOf(answer()) == "UPDATE_MASK_INVALID");
  update.mutable_update_mask()->set_paths(0, "username");
  CHECK(BadFields(answer()) == std::vector<std::string>{"user.username"});
  update.mutable_update_mask()->set_paths(0, "role");
  update.set_etag("77");
  CHECK(ReasonOf(answer()) == "ETAG_MISMATCH");
  update.set_etag(Get(stack, person.subject).etag());
  CHECK(answer().ok());
  CHECK(ReasonOf(answer()) == "ETAG_MISMATCH");
}

std::vector<std::string> Names(const Stack& stack, ListUsersRequest request) {
  std::vector<std::string> names;
  do {
    const auto page =
        Administer<ListUsersResponse>(stack, "ListUsers", request);
    REQUIRE(page.ok());
    CHECK(page->users_size() <= request.page_size());
    for (const User& user : page->users()) names.push_back(user.username());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return names;
}

TEST_CASE("users are listed in every order, page by page") {
  Stack& stack = Stack::Shared();
  const std::string stem = NewUsername("list");
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) {
    CreateUserRequest request;
    request.set_username(absl::StrCat(stem, "-", 9 - i));
    request.set_role(i % 2 == 0 ? ROLE_TRADER_OFFICER : ROLE_GRANDPASS_OFFICER);
    request.set_password("four wet umbrellas indoors");
    REQUIRE(Administer<CreateUserResponse>(stack, "CreateUser", request).ok());
    made.push_back(request.username());
  }
  REQUIRE(SignIn(stack, made[2], "four wet umbrellas indoors").ok());
  ListUsersRequest request;
  request.set_page_size(2);
  request.set_search(absl::AsciiStrToUpper(stem));
  std::vector<std::string> sorted = made;
  std::sort(sorted.begin(), sorted.end());
  CHECK(Names(stack, request) == sorted);

  request.set_order_by(LIST_USERS_ORDER_CREATED_DESCENDING);
  std::vector<std::string> latest_first(made.rbegin(), made.rend());
  CHECK(Names(stack, request) == latest_first);

  request.set_order_by(LIST_USERS_ORDER_LAST_SIGNED_IN_DESCENDING);
  const std::vector<std::string> by_sign_in = Names(stack, request);
  REQUIRE(by_sign_in.size() == 5);
  CHECK(by_sign_in[0] == made[2]);

  request.set_order_by(LIST_USERS_ORDER_ROLE);
  CHECK(Names(stack, request) ==
        std::vector<std::string>{made[3], made[1], made[4], made[2], made[0]});

  request.add_roles(ROLE_GRANDPASS_OFFICER);
  CHECK(Names(stack, request) == std::vector<std::string>{made[3], made[1]});
  request.clear_roles();
  request.set_disabled(true);
  CHECK(Names(stack, request).empty());
  request.clear_disabled();
  request.set_username(absl::AsciiStrToUpper(made[1]));
  CHECK(Names(stack, request) == std::vector<std::string>{made[1]});
}

TEST_CASE("all eleven groups are listed with those who are in them") {
  Stack& stack = Stack::Shared();
  const auto groups = [&](const ListGroupsRequest& request) {
    const auto page =
        Administer<ListGroupsResponse>(stack, "ListGroups", request);
    REQUIRE(page.ok());
    return *page;
  };
  const auto count = [&] {
    ListGroupsRequest request;
    request.set_search("trader_sup");
    const ListGroupsResponse page = groups(request);
    REQUIRE(page.groups_size() == 1);
    CHECK(page.groups(0).name() == "TRADER_SUPERVISOR");
    return page.groups(0).user_count();
  };
  const int64_t before = count();
  NewPerson(stack, options::v1::ROLE_TRADER_SUPERVISOR);
  CHECK(count() == before + 1);

  ListGroupsRequest request;
  request.set_page_size(4);
  std::set<std::string> names;
  int pages = 0;
  do {
    const ListGroupsResponse page = groups(request);
    for (const Group& group : page.groups()) {
      names.insert(group.name());
      CHECK(group.description() != "");
    }
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  CHECK(names.size() == 11);
  CHECK(pages == 3);
}

TEST_CASE("no password and no token is kept or logged anywhere") {
  Stack& stack = Stack::Shared();
  const std::string secret = "umbrella " + NewRequestId();
  CreateUserRequest request;
  request.set_request_id(NewRequestId());
  request.set_username(NewUsername());
  request.set_role(ROLE_TRADER_OFFICER);
  request.set_password(secret);
  REQUIRE(Administer<CreateUserResponse>(stack, "CreateUser", request).ok());
  const auto session = SignIn(stack, request.username(), secret);
  REQUIRE(session.ok());
  const std::string other = "parasol " + NewRequestId();
  REQUIRE(ChangePassword(stack, *session, secret, other, NewRequestId()).ok());
  CHECK_FALSE(SignIn(stack, request.username(), secret).ok());
  const auto next = Refresh(stack, session->refresh_token());
  REQUIRE(next.ok());

  const Sql database = stack.Owner(SIDE_ORDER);
  for (const std::string& text :
       {secret, other, session->access_token(), session->refresh_token(),
        next->refresh_token()}) {
    for (const auto& table : database.Query(
             "SELECT quote_ident(table_schema) || '.' || "
             "quote_ident(table_name) FROM information_schema.tables "
             "WHERE table_type = 'BASE TABLE' AND table_schema IN "
             "('admin', 'audit', 'public', 'sync')")) {
      INFO(table[0]);
      // Bytes are shown as text where they are text.
      CHECK(database.Number("SELECT count(*) FROM " + table[0] +
                                " AS t WHERE strpos(t::text, $1) > 0 "
                                "OR strpos(t::text, encode(convert_to($1, "
                                "'UTF8'), 'hex')) > 0",
                            {text}) == 0);
    }
    CHECK_FALSE(absl::StrContains(stack.Log(SIDE_ORDER), text));
  }
}

}  // namespace
}  // namespace mtp::tests
