#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "nlohmann/json.hpp"
#include "tests/support/mtpctl.h"
#include "tests/support/people.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using nlohmann::json;
using options::v1::ROLE_MASTER_ADMIN;

constexpr int kRefused = 2;
constexpr int kNotAllowed = 3;

// Somebody at a terminal of his own.
struct Desk {
  explicit Desk(const Stack& stack)
      : folder(absl::StrCat(Identities::Shared().folder(), "/",
                            NewUsername("desk"))),
        mtpctl(stack, folder) {
    std::filesystem::create_directories(folder);
  }
  std::string FileWith(const std::string& password) const {
    const std::string path = folder + "/password";
    std::ofstream(path) << password << "\n";
    return path;
  }
  std::string SessionFile() const {
    for (const auto& entry :
         std::filesystem::directory_iterator(folder + "/mtpctl")) {
      if (entry.path().extension() == ".json") return entry.path();
    }
    return "";
  }
  const std::string folder;
  const Mtpctl mtpctl;
};

TEST_CASE("mtpctl: people are made, sign in, change passwords and sign out") {
  Stack& stack = Stack::Shared();
  const Desk admin(stack);
  const std::string name = NewUsername("kumari");
  const std::string given = "four wet umbrellas indoors";
  const std::string own = "some blue morning ferries";
  const std::string made =
      admin.mtpctl.Do({"user", "create", name, "--role", "GRANDPASS_OFFICER",
                       "--password-file", admin.FileWith(given)});
  CHECK(absl::StrContains(made, "must change the password"));
  CHECK_FALSE(absl::StrContains(made, given));

  const Desk desk(stack);
  CHECK(desk.mtpctl.Try({"whoami"}).exit_code == kNotAllowed);
  CHECK(
      desk.mtpctl.Try({"sign-in", name, "--password-file", desk.FileWith(own)})
          .exit_code == kNotAllowed);
  const std::string greeting = desk.mtpctl.Do(
      {"sign-in", name, "--password-file", desk.FileWith(given)});
  CHECK(absl::StrContains(greeting, name + " (GRANDPASS_OFFICER)"));
  CHECK(absl::StrContains(greeting, "change-password"));
  struct stat mode {};
  REQUIRE(::stat(desk.SessionFile().c_str(), &mode) == 0);
  CHECK((mode.st_mode & 0777) == 0600);

  // Who is signed in asks, not whoever may on the local stack.
  const Outcome early = desk.mtpctl.Try({"plan", "list"});
  CHECK(early.exit_code == kNotAllowed);
  CHECK(absl::StrContains(early.output, "change-password"));
  const std::string old_file = desk.folder + "/old";
  std::ofstream(old_file) << given << "\n";
  desk.mtpctl.Do({"change-password", "--password-file", old_file,
                  "--new-password-file", desk.FileWith(own)});
  desk.mtpctl.Do({"plan", "list"});
  CHECK(absl::StrContains(desk.mtpctl.Do({"whoami"}), name));
  CHECK(desk.mtpctl.Try({"user", "list"}).exit_code == kNotAllowed);
  // What is said on the command line comes first.
  desk.mtpctl.Do({"--as", "MASTER_ADMIN", "user", "list", "--search", name});

  // An access token that has expired is renewed without a word.
  json kept = json::parse(ReadFile(desk.SessionFile()));
  const std::string before = kept["refreshToken"];
  kept["accessExpiresAt"] = "2020-01-01T00:00:00Z";
  std::ofstream(desk.SessionFile()) << kept.dump();
  desk.mtpctl.Do({"plan", "list"});
  kept = json::parse(ReadFile(desk.SessionFile()));
  CHECK(kept["refreshToken"] != before);

  desk.mtpctl.Do({"sign-out"});
  CHECK(desk.SessionFile() == "");
  CHECK(desk.mtpctl.Try({"whoami"}).exit_code == kNotAllowed);
}

TEST_CASE("mtpctl: programs that run at once renew one session once") {
  Stack& stack = Stack::Shared();
  const Desk desk(stack);
  const Person person = SettledPerson(stack, ROLE_MASTER_ADMIN);
  desk.mtpctl.Do({"sign-in", person.username, "--password-file",
                  desk.FileWith(person.password)});
  json kept = json::parse(ReadFile(desk.SessionFile()));
  kept["accessExpiresAt"] = "2020-01-01T00:00:00Z";
  std::ofstream(desk.SessionFile()) << kept.dump();
  std::vector<int> codes(4);
  AtOnce(4, [&](int i) {
    codes[static_cast<size_t>(i)] =
        desk.mtpctl.Try({"group", "list"}).exit_code;
  });
  CHECK(codes == std::vector<int>(4, 0));
}

TEST_CASE("mtpctl: a session outlives the key that signed its token") {
  Stack& stack = Stack::Shared("identity");
  const Desk desk(stack);
  const Person person =
      SettledPerson(stack, options::v1::ROLE_GRANDPASS_OFFICER);
  desk.mtpctl.Do({"sign-in", person.username, "--password-file",
                  desk.FileWith(person.password)});
  const json before = json::parse(ReadFile(desk.SessionFile()));
  const std::string token = before["accessToken"];
  stack.Owner(SIDE_ORDER).Query("DELETE FROM admin.signing_key");
  REQUIRE(Eventually([&] {
    return errors::Reason(stack.Stranger(SIDE_ORDER, "Bearer " + token)
                              .Send("mtp.order.v1.PlanService/ListPlans", {""})
                              .status) == "TOKEN_KEY_UNKNOWN";
  }));
  desk.mtpctl.Do({"plan", "list"});
  const json after = json::parse(ReadFile(desk.SessionFile()));
  CHECK(after["refreshToken"] != before["refreshToken"]);
  // A token that was given is nobody's to renew.
  const Outcome given = desk.mtpctl.Try({"--token", token, "plan", "list"});
  CHECK(given.exit_code == kNotAllowed);
  CHECK(json::parse(ReadFile(desk.SessionFile())) == after);
}

TEST_CASE("mtpctl: users are shown, changed, locked out and removed") {
  Stack& stack = Stack::Shared();
  const Desk admin(stack);
  const Person person = NewPerson(stack, options::v1::ROLE_GRANDPASS_OFFICER);
  const auto user = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "user");
    return admin.mtpctl.Do(words);
  };
  CHECK(absl::StrContains(user({"show", person.username}), person.subject));
  CHECK(absl::StrContains(user({"show", person.subject}), person.username));
  CHECK(absl::StrContains(
      user({"update", person.username, "--role", "TRADER_OFFICER"}),
      "TRADER_OFFICER"));
  CHECK(absl::StrContains(
      user({"disable", person.username, "--reason", "on leave"}), "disabled"));
  CHECK(absl::StrContains(
      user({"list", "--disabled", "yes", "--search", person.username}),
      person.username));
  CHECK_FALSE(absl::StrContains(user({"enable", person.username}), "disabled"));
  user({"reset-password", person.username, "--password-file",
        admin.FileWith("seven loud kettles downhill")});
  const Outcome weak =
      admin.mtpctl.Try({"user", "reset-password", person.username,
                        "--password-file", admin.FileWith("123456789012")});
  CHECK(weak.exit_code == kRefused);
  CHECK(absl::StrContains(weak.output, "too easy to guess"));
  user({"delete", person.username});
  CHECK(admin.mtpctl.Try({"user", "show", person.username}).exit_code ==
        kRefused);
  CHECK(absl::StrContains(admin.mtpctl.Do({"group", "list"}),
                          "TRADER_SUPERVISOR"));
}

}  // namespace
}  // namespace mtp::tests
