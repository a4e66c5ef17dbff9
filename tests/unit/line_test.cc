#include "tests/support/line.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/client.h"
#include "tests/support/cluster.h"
#include "tests/support/sockets.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using Way = Line::Way;

constexpr absl::Duration kLong = absl::Hours(1);

std::string NewPort() { return absl::StrCat("127.0.0.1:", FreePort()); }

// An end of a connection. What it waits for comes within the limit.
class End {
 public:
  explicit End(Descriptor socket) : socket_(std::move(socket)) {
    if (!open()) return;
    const timeval limit{.tv_sec = absl::ToInt64Seconds(kLimit), .tv_usec = 0};
    setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  // A connection to it; without a socket if it is refused.
  static End To(const std::string& where) {
    const Address address = ParseAddress(where);
    Descriptor socket = StreamSocket(address);
    if (connect(socket.number(), address.get(), address.size) != 0) {
      socket = Descriptor();
    }
    return End(std::move(socket));
  }

  bool open() const { return socket_.open(); }
  const Descriptor& socket() const { return socket_; }

  bool Say(const std::string& bytes) const {
    size_t said = 0;
    while (said < bytes.size()) {
      const ssize_t part = send(socket_.number(), bytes.data() + said,
                                bytes.size() - said, MSG_NOSIGNAL);
      if (part < 0) return false;
      said += static_cast<size_t>(part);
    }
    return true;
  }
  void SayNoMore() const { shutdown(socket_.number(), SHUT_WR); }

  // So many bytes, or those that came before the end.
  std::string Hear(size_t count) const {
    std::string bytes(count, 0);
    const ssize_t heard =
        recv(socket_.number(), bytes.data(), count, MSG_WAITALL);
    bytes.resize(static_cast<size_t>(std::max<ssize_t>(heard, 0)));
    return bytes;
  }
  // Waits for the end, and hears nothing before.
  bool HearsTheEnd() const {
    char byte = 0;
    const ssize_t heard = recv(socket_.number(), &byte, 1, 0);
    return heard == 0 || (heard < 0 && errno == ECONNRESET);
  }
  // Whether there is nothing to hear now, not even the end.
  bool HearsNothing() const {
    char byte = 0;
    return recv(socket_.number(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 &&
           errno == EAGAIN;
  }

 private:
  Descriptor socket_;
};

bool Refused(const std::string& where) {
  const Address address = ParseAddress(where);
  const Descriptor socket = StreamSocket(address);
  return connect(socket.number(), address.get(), address.size) != 0 &&
         errno == ECONNREFUSED;
}

// What a line leads to.
class Target {
 public:
  explicit Target(const std::string& where = NewPort())
      : where_(where), listener_(ListenAt(ParseAddress(where))) {}

  const std::string& where() const { return where_; }
  // Whether somebody waits for an answer, or comes within the limit.
  bool Called(absl::Duration limit = absl::ZeroDuration()) const {
    pollfd wanted{.fd = listener_.number(), .events = POLLIN, .revents = 0};
    return poll(&wanted, 1,
                static_cast<int>(absl::ToInt64Milliseconds(limit))) == 1;
  }
  End Answer() const {
    return End(Descriptor(
        accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  End AnswerNext() const {
    REQUIRE(Called(kLimit));
    return Answer();
  }

 private:
  const std::string where_;
  const Descriptor listener_;
};

// A target, a line to it, and a connection over the line.
struct Scene {
  Scene() { Connect(); }

  void Connect() {
    client = End::To(where);
    REQUIRE(client.open());
    served = target.AnswerNext();
  }
  // Whether words pass both ways.
  bool Talk() const {
    return client.Say("question") && served.Hear(8) == "question" &&
           served.Say("answer") && client.Hear(6) == "answer";
  }
  // Until all that happened so far has been seen by the line.
  void LetTheLineSee() {
    line.Seen();
    line.Seen();
  }

  Target target;
  const std::string where = NewPort();
  Line line{{.listen = where, .targets = {target.where()}}};
  End client{Descriptor()};
  End served{Descriptor()};
};

std::string Noise(size_t size) {
  std::string bytes(size, 0);
  uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

TEST_CASE("a line passes all bytes both ways, and the end of each way") {
  Scene scene;
  const std::string bytes = Noise(1 << 20);
  // Says back what it hears, to the end.
  std::thread echo([&] {
    for (std::string heard = "-"; !heard.empty();) {
      heard = scene.served.Hear(10'000);
      scene.served.Say(heard);
    }
    scene.served.SayNoMore();
  });
  std::thread speaker([&] {
    scene.client.Say(bytes);
    scene.client.SayNoMore();
  });
  const bool whole = scene.client.Hear(bytes.size()) == bytes;
  const bool ended = scene.client.HearsTheEnd();
  speaker.join();
  echo.join();
  CHECK(whole);
  CHECK(ended);
  CHECK(Eventually([&] { return scene.line.Seen().open == 0; }));
  const Line::Counts counts = scene.line.Seen();
  CHECK(counts.bytes_to_target == 1 << 20);
  CHECK(counts.bytes_to_client == 1 << 20);
  CHECK(counts.cut == 0);
}

TEST_CASE("one way of a connection may end long before the other") {
  Scene scene;
  scene.client.Say("question");
  scene.client.SayNoMore();
  CHECK(scene.served.Hear(8) == "question");
  CHECK(scene.served.HearsTheEnd());
  scene.served.Say("answer");
  CHECK(scene.client.Hear(6) == "answer");
}

TEST_CASE("a target that does not listen stops the one who speaks") {
  Scene scene;
  const std::string bytes = Noise(48 << 20);  // more than sockets hold
  std::atomic<bool> said = false;
  std::thread speaker([&] {
    scene.client.Say(bytes);
    said = true;
  });
  int64_t passed = -1;
  // Nothing moves any more, and a part was said.
  const bool stopped = Eventually([&] {
    const int64_t before =
        std::exchange(passed, scene.line.Seen().bytes_to_target);
    return passed > 0 && passed == before;
  });
  const bool said_early = said;
  const bool whole = scene.served.Hear(bytes.size()) == bytes;
  speaker.join();
  CHECK(stopped);
  CHECK_FALSE(said_early);
  CHECK(whole);
}

TEST_CASE("a line lies between unix sockets as between ports") {
  char folder[] = "/tmp/mtp-line-XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  const std::string here = absl::StrCat(folder, "/.s.PGSQL.5432");
  {
    const Target target(absl::StrCat(folder, "/target"));
    std::optional<Line> line(
        std::in_place,
        Line::Options{.listen = here, .targets = {target.where()}});
    const End client = End::To(here);
    const End served = target.AnswerNext();
    client.Say("question");
    CHECK(served.Hear(8) == "question");
    line->Partition();
    CHECK(served.HearsTheEnd());
    CHECK(Refused(here));
    line->Calm();
    CHECK(End::To(here).open());
    line.reset();
    CHECK_FALSE(std::filesystem::exists(here));
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("connections go to the targets in turn, past those that are dead") {
  const Target first;
  const Target second;
  const std::string where = NewPort();
  Line line({.listen = where,
             .targets = {first.where(), NewPort(), second.where(), NewPort()}});
  std::vector<End> clients;
  for (int round = 0; round < 3; ++round) {
    for (const Target* target : {&first, &second}) {
      clients.push_back(End::To(where));
      const End served = target->AnswerNext();
      served.Say("here");
      CHECK(clients.back().Hear(4) == "here");
    }
  }
  CHECK(line.Seen().accepted == 6);
  CHECK(line.Seen().refused == 0);
}

TEST_CASE("a connection that all targets refuse is closed") {
  const std::string where = NewPort();
  Line line({.listen = where, .targets = {NewPort(), NewPort()}});
  const End client = End::To(where);
  REQUIRE(client.open());
  CHECK(client.HearsTheEnd());
  CHECK(line.Seen().refused == 1);
}

TEST_CASE("a delay is waited for, each way by itself, until all is calm") {
  Scene scene;
  scene.line.Delay(Way::kToTarget, absl::Milliseconds(20));
  scene.line.Delay(Way::kToClient, absl::Milliseconds(30));
  const absl::Time began = absl::Now();
  CHECK(scene.Talk());
  CHECK(absl::Now() - began >= absl::Milliseconds(50));

  scene.line.Delay(Way::kToTarget, absl::ZeroDuration());
  scene.line.Delay(Way::kToClient, kLong);
  scene.client.Say("question");
  CHECK(scene.served.Hear(8) == "question");
  scene.served.Say("answer");
  scene.LetTheLineSee();
  CHECK(scene.client.HearsNothing());
  scene.line.Calm();
  CHECK(scene.client.Hear(6) == "answer");
}

TEST_CASE("what trickles comes in small pieces, and whole") {
  Scene scene;
  scene.line.Trickle(3);
  const std::string bytes = Noise(3000);
  scene.client.Say(bytes);
  CHECK(scene.served.Hear(bytes.size()) == bytes);
  tcp_info info{};
  socklen_t size = sizeof info;
  getsockopt(scene.served.socket().number(), IPPROTO_TCP, TCP_INFO, &info,
             &size);
  CHECK(info.tcpi_data_segs_in > 10);  // one, if all is calm
}

TEST_CASE("what is lost one way is not missed, until all is calm") {
  Scene scene;
  scene.line.Lose(Way::kToTarget);
  scene.client.Say("question");
  REQUIRE(Eventually([&] { return scene.line.Seen().bytes_lost == 8; }));
  scene.served.Say("other news");
  CHECK(scene.client.Hear(10) == "other news");
  scene.client.SayNoMore();
  scene.LetTheLineSee();
  CHECK(scene.served.HearsNothing());
  CHECK(scene.line.Seen().open == 1);

  scene.line.Calm();
  CHECK(scene.client.HearsTheEnd());
  CHECK(scene.served.HearsTheEnd());
  CHECK(scene.line.Seen().cut == 1);
  scene.Connect();
  CHECK(scene.Talk());
}

TEST_CASE("what a line holds when a way is lost is lost, too") {
  Scene scene;
  scene.line.Delay(Way::kToClient, kLong);
  scene.served.Say("answer");
  scene.LetTheLineSee();
  scene.line.Lose(Way::kToClient);
  CHECK(scene.line.Seen().bytes_lost == 6);
  scene.line.Calm();
  CHECK(scene.client.HearsTheEnd());
}

TEST_CASE("a connection that lost nothing goes on") {
  Scene scene;
  scene.line.Lose(Way::kToTarget);
  scene.served.Say("news");
  CHECK(scene.client.Hear(4) == "news");
  scene.line.Calm();
  CHECK(scene.Talk());
}

TEST_CASE("a connection that is half open is dead, and nobody learns") {
  Scene scene;
  REQUIRE(scene.Talk());
  scene.line.HalfOpen();
  scene.client.Say("question");
  scene.served.Say("answer");
  REQUIRE(Eventually([&] { return scene.line.Seen().bytes_lost == 14; }));
  scene.client = End(Descriptor());
  scene.LetTheLineSee();
  CHECK(scene.served.HearsNothing());
  CHECK(scene.served.Say("are you there?"));
  scene.line.Calm();
  CHECK(scene.served.HearsTheEnd());
  scene.Connect();
  CHECK(scene.Talk());
}

TEST_CASE("a connection made while all are half open is cut with them") {
  Scene scene;
  scene.line.HalfOpen();
  const End late = End::To(scene.where);
  const End served = scene.target.AnswerNext();
  scene.line.Calm();
  CHECK(late.HearsTheEnd());
  CHECK(served.HearsTheEnd());
}

TEST_CASE("a connection that was forgotten stays dead, and new ones live") {
  Scene scene;
  REQUIRE(scene.Talk());
  scene.line.Forget();
  scene.client.Say("question");
  scene.served.Say("answer");
  REQUIRE(Eventually([&] { return scene.line.Seen().bytes_lost == 14; }));
  scene.line.Calm();
  CHECK(scene.client.HearsNothing());
  CHECK(scene.served.HearsNothing());
  const End late = End::To(scene.where);
  const End served = scene.target.AnswerNext();
  late.Say("question");
  CHECK(served.Hear(8) == "question");
  REQUIRE(scene.line.Seen().open == 2);
  // Gone once both have given it up.
  scene.client = End(Descriptor());
  scene.LetTheLineSee();
  CHECK(scene.line.Seen().open == 2);
  scene.served = End(Descriptor());
  CHECK(Eventually([&] { return scene.line.Seen().open == 1; }));
}

TEST_CASE("a partition cuts what is, and refuses what comes") {
  Scene scene;
  scene.line.Partition();
  CHECK(scene.client.HearsTheEnd());
  CHECK(scene.served.HearsTheEnd());
  CHECK(Refused(scene.where));
  scene.line.Calm();
  scene.Connect();
  CHECK(scene.Talk());
}

TEST_CASE("a cut closes all connections, and others may come") {
  Scene scene;
  scene.line.Cut();
  CHECK(scene.client.HearsTheEnd());
  CHECK(scene.served.HearsTheEnd());
  scene.Connect();
  CHECK(scene.Talk());
}

TEST_CASE("a cut before the reply leaves a target that was told") {
  Scene scene;
  REQUIRE(scene.Talk());
  scene.line.CutBeforeReply();
  scene.client.Say("question");
  CHECK(scene.served.Hear(8) == "question");
  scene.served.Say("answer");
  CHECK(scene.client.HearsTheEnd());
  CHECK(scene.served.HearsTheEnd());
  scene.Connect();
  CHECK(scene.Talk());
}

TEST_CASE("a cut before a certain reply lets all others pass") {
  Scene scene;
  scene.line.CutBeforeReplyWith("done");
  REQUIRE(scene.Talk());
  scene.client.Say("question");
  CHECK(scene.served.Hear(8) == "question");
  scene.served.Say("it is done now");
  CHECK(scene.client.HearsTheEnd());
  CHECK(scene.served.HearsTheEnd());
  scene.Connect();
  CHECK(scene.Talk());
}

TEST_CASE("a cut after the request leaves a target that was told") {
  Scene scene;
  REQUIRE(scene.Talk());
  scene.line.CutAfterRequest();
  scene.client.Say("question");
  CHECK(scene.served.Hear(8) == "question");
  CHECK(scene.served.HearsTheEnd());
  CHECK(scene.client.HearsTheEnd());
  scene.Connect();
  CHECK(scene.Talk());
}

TEST_CASE("a cut falls between any two bytes, and once") {
  Scene scene;
  scene.line.CutAfter(Way::kToTarget, 5);
  scene.client.Say("que");
  CHECK(scene.served.Hear(3) == "que");
  scene.client.Say("stion");
  CHECK(scene.served.Hear(8) == "st");
  CHECK(scene.client.HearsTheEnd());
  scene.Connect();
  CHECK(scene.Talk());
}

TEST_CASE("a cut that nobody came to is lifted") {
  Scene scene;
  scene.line.CutBeforeReply();
  scene.line.Calm();
  CHECK(scene.Talk());
}

TEST_CASE("a line that ends closes all it has") {
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         {});
  };
  const Target target;
  const std::string where = NewPort();
  const auto before = open_files();
  {
    std::optional<Line> line(
        std::in_place,
        Line::Options{.listen = where, .targets = {target.where()}});
    const End client = End::To(where);
    const End served = target.AnswerNext();
    const End lost_client = End::To(where);
    const End lost = target.AnswerNext();
    line->HalfOpen();
    line.reset();
    CHECK(client.HearsTheEnd());
    CHECK(served.HearsTheEnd());
    CHECK(Refused(where));
  }
  CHECK(open_files() == before);
}

TEST_CASE("a line is disturbed by many at a time, and calm afterwards") {
  Scene scene;
  std::atomic<bool> enough = false;
  // Takes what comes, and says a little to whoever is there.
  std::thread server([&] {
    while (!enough) {
      if (!scene.target.Called(absl::Milliseconds(5))) continue;
      const End served = scene.target.Answer();
      served.Say("here");
      served.SayNoMore();
    }
  });
  AtOnce(4, [&](int number) {
    Line& line = scene.line;
    for (int round = 0; round < 60; ++round) {
      const End client = End::To(scene.where);
      if (client.open()) client.Say("question");
      switch ((round + 3 * number) % 9) {
        case 0:
          line.Calm();
          break;
        case 1:
          line.Delay(Way::kToClient, absl::Milliseconds(1));
          break;
        case 2:
          line.Lose(Way::kToTarget);
          break;
        case 3:
          line.HalfOpen();
          break;
        case 4:
          line.Partition();
          break;
        case 5:
          line.CutAfterRequest();
          break;
        case 6:
          line.CutBeforeReply();
          break;
        case 7:
          line.Trickle(1);
          break;
        default:
          line.Cut();
      }
    }
  });
  enough = true;
  server.join();
  scene.line.Cut();
  scene.line.Calm();
  while (scene.target.Called()) scene.target.Answer();
  scene.Connect();
  CHECK(scene.Talk());
}

}  // namespace
}  // namespace mtp::tests
