#include "common/rpc/key_url.h"

#include <catch2/catch.hpp>
#include <deque>

#include "tests/support/wait.h"

namespace mtp::rpc {
namespace {

using tests::Eventually;

// A provider that answers what it is told to, the last answer for ever.
class Provider {
 public:
  explicit Provider(std::deque<absl::StatusOr<TokenKeyUrl::Fetched>> answers)
      : answers_(std::move(answers)) {}

  TokenKeyUrl::Options Options(absl::Duration refresh) {
    return {.fetch =
                [this](const std::string& etag, const std::atomic<bool>&) {
                  std::lock_guard lock(mutex_);
                  etags_.push_back(etag);
                  auto answer = answers_.front();
                  if (answers_.size() > 1) answers_.pop_front();
                  return answer;
                },
            .refresh = refresh,
            .shortest = absl::Milliseconds(1),
            .least = absl::Milliseconds(1),
            .first_retry = absl::Milliseconds(1),
            .uniform = [] { return 0.5; }};
  }
  std::vector<std::string> etags() const {
    std::lock_guard lock(mutex_);
    return etags_;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<absl::StatusOr<TokenKeyUrl::Fetched>> answers_;
  std::vector<std::string> etags_;
};

TokenKeyUrl::Fetched Keys(const std::string& kid,
                          const std::string& etag = "") {
  return {.body = JwksFromPem(MakeEs256Key(), kid).value(), .etag = etag};
}

bool Has(const TokenKeyUrl& url, const std::string& kid) {
  return url.Current()->keys.contains(kid);
}

TEST_CASE("keys at a URL are there from the first, and follow what it says") {
  Provider provider({Keys("one", "\"1\""),
                     TokenKeyUrl::Fetched{.unchanged = true},
                     Keys("two", "\"2\"")});
  const auto url = TokenKeyUrl::Open(provider.Options(absl::Milliseconds(2)));
  CHECK(Eventually([&] { return Has(*url, "two"); }));
  CHECK_FALSE(Has(*url, "one"));
  CHECK(provider.etags()[0] == "");
  CHECK(provider.etags()[1] == "\"1\"");
  CHECK(provider.etags()[2] == "\"1\"");
}

TEST_CASE("a provider that fails, or talks nonsense, leaves the keys alone") {
  Provider provider({Keys("one"), absl::UnavailableError("down"),
                     TokenKeyUrl::Fetched{.body = "<html>"},
                     TokenKeyUrl::Fetched{.body = R"({"keys":[]})"}});
  const auto url = TokenKeyUrl::Open(provider.Options(absl::Milliseconds(2)));
  CHECK(Eventually([&] { return provider.etags().size() > 6; }));
  CHECK(Has(*url, "one"));
  CHECK(url->Number() == 1);
}

TEST_CASE("without a first answer there are no keys, until there is one") {
  Provider provider({absl::UnavailableError("down"),
                     absl::UnavailableError("down"), Keys("one")});
  const auto url = TokenKeyUrl::Open(provider.Options(absl::Hours(1)));
  CHECK(Eventually([&] { return Has(*url, "one"); }));
}

TEST_CASE("a token of an unknown key makes it ask before its time") {
  Provider provider({Keys("one"), Keys("two")});
  const auto url = TokenKeyUrl::Open(provider.Options(absl::Hours(1)));
  CHECK(Has(*url, "one"));
  url->Missed();
  CHECK(Eventually([&] { return Has(*url, "two"); }));
}

TEST_CASE("how long an answer holds is the provider's to say") {
  TokenKeyUrl::Fetched first = Keys("one");
  first.max_age = absl::Milliseconds(2);
  Provider provider({first, Keys("two")});
  const auto url = TokenKeyUrl::Open(provider.Options(absl::Hours(1)));
  CHECK(Eventually([&] { return Has(*url, "two"); }));
}

TEST_CASE("only https is fetched") {
  const std::atomic<bool> stop = false;
  CHECK_FALSE(FetchFrom("file:///etc/passwd", "")("", stop).ok());
  CHECK_FALSE(FetchFrom("http://127.0.0.1:1/jwks", "")("", stop).ok());
  CHECK_FALSE(FetchFrom("https://127.0.0.1:1/jwks", "")("", stop).ok());
}

}  // namespace
}  // namespace mtp::rpc
