#include "common/rpc/settings.h"

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>

namespace mtp::rpc {
namespace {

ServiceOptions Good() {
  ServiceOptions options;
  options.listen = "127.0.0.1:7401";
  options.database = "host=localhost";
  options.token_keys = "keys.json";
  options.tls = {.certificate = "c", .key = "k", .ca = "a"};
  return options;
}

TEST_CASE("flags win over the environment, and it over the defaults") {
  ServiceOptions options = Good();
  CLI::App app;
  AddFlags(app, "MTP_SETTINGS_TEST", options);
  ::setenv("MTP_SETTINGS_TEST_LISTEN", "127.0.0.1:1", 1);
  ::setenv("MTP_SETTINGS_TEST_MAX_IN_FLIGHT", "7", 1);
  ::setenv("MTP_SETTINGS_TEST_INSECURE", "true", 1);
  app.parse("--listen 127.0.0.1:2 --peer-name a --peer-name b --no-reflection");
  ::unsetenv("MTP_SETTINGS_TEST_LISTEN");
  ::unsetenv("MTP_SETTINGS_TEST_MAX_IN_FLIGHT");
  ::unsetenv("MTP_SETTINGS_TEST_INSECURE");
  REQUIRE(options.listen == "127.0.0.1:2");
  REQUIRE(options.max_in_flight == 7);
  REQUIRE(options.insecure);
  REQUIRE_FALSE(options.reflection);
  REQUIRE(options.peer_names == std::vector<std::string>{"a", "b"});
  REQUIRE(options.time_zone == "Asia/Colombo");
}

TEST_CASE("every flag has a help text and an environment variable") {
  ServiceOptions options = Good();
  CLI::App app;
  AddFlags(app, "MTP_ORDER", options);
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_name() == "--help") continue;
    CAPTURE(option->get_name());
    REQUIRE(option->get_description().size() > 10);
    REQUIRE(option->get_envname().starts_with("MTP_ORDER_"));
  }
}

TEST_CASE("all that is wrong with the options is told at once") {
  REQUIRE(Check(Good()).ok());
  ServiceOptions options = Good();
  options.listen = "7401";
  options.tls.key = "";
  options.time_zone = "Asia/Nowhere";
  const std::string message(Check(options).message());
  for (const char* flag : {"--listen", "--tls-key", "--time-zone"}) {
    REQUIRE(message.find(flag) != std::string::npos);
  }
}

TEST_CASE("plaintext is refused on addresses that others can reach") {
  ServiceOptions options = Good();
  options.insecure = true;
  for (const char* own : {"127.0.0.1:1", "localhost:1", "[::1]:1"}) {
    options.listen = own;
    REQUIRE(Check(options).ok());
  }
  for (const char* open : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", ":1",
                           "127.0.0.1.evil.net:1", "1127.0.0.1:1"}) {
    CAPTURE(open);
    options.listen = open;
    REQUIRE_FALSE(Check(options).ok());
  }
}

}  // namespace
}  // namespace mtp::rpc
