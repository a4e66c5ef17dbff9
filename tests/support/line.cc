#include "tests/support/line.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "tests/support/sockets.h"

namespace mtp::tests {
namespace {

using Way = Line::Way;

// What a direction of a connection holds at most, in bytes: enough to keep
// both ends busy.
constexpr size_t kRoom = 64 << 10;
constexpr std::array kWays = {Way::kToTarget, Way::kToClient};

size_t Index(Way way) { return static_cast<size_t>(way); }
Way Other(Way way) {
  return way == Way::kToTarget ? Way::kToClient : Way::kToTarget;
}

struct Piece {
  absl::Time came;
  std::string bytes;  // none: the end of the direction
};

// One direction of a connection.
struct Flow {
  std::deque<Piece> held;
  size_t held_bytes = 0;
  size_t written = 0;   // of the first piece
  bool ended = false;   // the source has nothing more to say
  bool over = false;    // the sink was told so
  bool lost = false;    // nobody is there to take it, and nobody may learn
  int64_t counted = 0;  // the bytes passed since the scissors were set
};

struct Connection {
  // The client's and the target's: each the source of the way of its index,
  // and the sink of the other.
  std::array<Descriptor, 2> sockets;
  std::array<Flow, 2> flows;
  bool connecting = true;
  size_t asked = 0;   // targets
  bool torn = false;  // something was lost: it cannot go on when all is calm
  bool forgotten = false;
  bool closed = false;  // for the sweep
};

struct Scissors {
  Way way;
  int64_t bytes = 0;
  bool whole = false;  // all that is held passes before the cut
  std::string before;  // not empty: cuts before the piece that bears this
};

}  // namespace

// The thread that moves the bytes. It alone touches connections and
// disturbances; the others leave it commands.
class Line::Switchboard {
 public:
  explicit Switchboard(Options options)
      : path_(options.listen.starts_with('/') ? options.listen : ""),
        here_(ParseAddress(options.listen)),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        listener_(ListenAt(here_, SOCK_NONBLOCK)) {
    Must(wake_.open(), "eventfd");
    for (const std::string& target : options.targets) {
      targets_.push_back(ParseAddress(target));
    }
    Must(!targets_.empty(), "a line without targets");
    thread_ = std::thread([this] { Run(); });
  }

  ~Switchboard() {
    Do([this] { stop_ = true; });
    thread_.join();
    if (!path_.empty()) unlink(path_.c_str());
  }

  // Has the thread do it, and returns when it is done.
  void Do(std::function<void()> command) {
    std::unique_lock lock(mutex_);
    commands_.push_back(std::move(command));
    const int64_t mine = ++commands_given_;
    const uint64_t one = 1;
    Must(write(wake_.number(), &one, sizeof one) == sizeof one, "eventfd");
    done_.wait(lock, [&] { return commands_done_ >= mine; });
  }

  // Those below are for commands.

  void Delay(Way way, absl::Duration delay) { delays_[Index(way)] = delay; }
  void Trickle(size_t bytes) { largest_piece_ = bytes; }

  void Lose(Way way) {
    lost_[Index(way)] = true;
    for (auto& connection : connections_) DropHeld(*connection, way);
  }

  void HalfOpen() {
    half_open_ = true;
    for (auto& connection : connections_) connection->torn = true;
    for (const Way way : kWays) Lose(way);
  }

  void Forget() {
    for (auto& connection : connections_) {
      connection->forgotten = true;
      for (const Way way : kWays) {
        DropHeld(*connection, way);
        connection->flows[Index(way)].lost = true;
      }
    }
  }

  void CutAll() {
    for (auto& connection : connections_) CutOne(*connection);
  }

  void Partition() {
    listener_ = Descriptor();
    CutAll();
  }

  void SetScissors(Scissors scissors) {
    scissors_ = std::move(scissors);
    for (auto& connection : connections_) {
      connection->flows[Index(scissors_->way)].counted = 0;
    }
  }

  void Calm() {
    delays_ = {};
    lost_ = {};
    half_open_ = false;
    largest_piece_ = kRoom;
    scissors_.reset();
    for (auto& connection : connections_) {
      if (connection->torn && !connection->forgotten) CutOne(*connection);
    }
    if (!listener_.open()) listener_ = ListenAt(here_, SOCK_NONBLOCK);
  }

  Counts Seen() const {
    Counts counts = counts_;
    for (const auto& connection : connections_) {
      if (!connection->connecting && !connection->closed) ++counts.open;
    }
    return counts;
  }

 private:
  void Run() {
    std::vector<pollfd> wanted;
    while (!stop_) {
      now_ = absl::Now();
      wanted.assign(
          {{wake_.number(), POLLIN, 0}, {listener_.number(), POLLIN, 0}});
      for (const auto& connection : connections_) {
        for (const Way way : kWays) wanted.push_back(Wanted(*connection, way));
      }
      poll(wanted.data(), wanted.size(), MillisecondsToNextPiece());
      now_ = absl::Now();
      // Before all else: what was asked for first is in force for what is
      // seen now.
      if (wanted[0].revents != 0) RunCommands();
      for (size_t i = 0; i < connections_.size(); ++i) {
        Serve(*connections_[i], &wanted[2 + 2 * i]);
      }
      if (wanted[1].revents != 0) Accept();
      std::erase_if(connections_,
                    [](const auto& connection) { return connection->closed; });
    }
  }

  void RunCommands() {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t size =
        read(wake_.number(), &count, sizeof count);
    std::lock_guard lock(mutex_);
    for (const auto& command : commands_) command();
    commands_.clear();
    commands_done_ = commands_given_;
    done_.notify_all();
  }

  // What is waited for at the source of the way. A socket of which nothing is
  // wanted is left out, or its hang-up would be reported on and on.
  pollfd Wanted(const Connection& connection, Way way) const {
    const Flow& out = connection.flows[Index(way)];
    const Flow& in = connection.flows[Index(Other(way))];
    short events = 0;
    if (connection.connecting) {
      if (way == Way::kToClient) events = POLLOUT;
    } else {
      const bool room = Lost(connection, way) || out.held_bytes < kRoom;
      if (!out.ended && room) events |= POLLIN;
      if (Due(connection, Other(way)) && !in.lost) events |= POLLOUT;
    }
    const int socket = connection.sockets[Index(way)].number();
    return {.fd = events == 0 ? -1 : socket, .events = events, .revents = 0};
  }

  bool Lost(const Connection& connection, Way way) const {
    return lost_[Index(way)] || connection.flows[Index(way)].lost;
  }

  bool Due(const Connection& connection, Way way) const {
    const Flow& flow = connection.flows[Index(way)];
    return !flow.held.empty() &&
           flow.held.front().came + delays_[Index(way)] <= now_;
  }

  int MillisecondsToNextPiece() const {
    absl::Duration wait = absl::InfiniteDuration();
    for (const auto& connection : connections_) {
      for (const Way way : kWays) {
        const Flow& flow = connection->flows[Index(way)];
        if (flow.held.empty() || Due(*connection, way)) continue;
        wait =
            std::min(wait, flow.held.front().came + delays_[Index(way)] - now_);
      }
    }
    if (wait == absl::InfiniteDuration()) return -1;
    return static_cast<int>(absl::ToInt64Milliseconds(
        absl::Ceil(std::min(wait, absl::Hours(1)), absl::Milliseconds(1))));
  }

  void Accept() {
    while (listener_.open()) {
      Descriptor client(accept4(listener_.number(), nullptr, nullptr,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!client.open()) return;
      ++counts_.accepted;
      auto& connection =
          *connections_.emplace_back(std::make_unique<Connection>());
      connection.sockets[0] = std::move(client);
      connection.torn = half_open_;
      AskNextTarget(connection);
    }
  }

  void AskNextTarget(Connection& connection) {
    while (connection.asked++ < targets_.size()) {
      const Address& target = targets_[next_target_++ % targets_.size()];
      Descriptor socket = StreamSocket(target, SOCK_NONBLOCK);
      const int answer = connect(socket.number(), target.get(), target.size);
      if (answer != 0 && errno != EINPROGRESS) continue;
      connection.sockets[1] = std::move(socket);
      connection.connecting = answer != 0;
      return;
    }
    ++counts_.refused;
    Close(connection);
  }

  // `seen` are its two sockets.
  void Serve(Connection& connection, const pollfd* seen) {
    if (connection.closed) return;
    if (connection.connecting) {
      if (seen[1].revents != 0) HearTarget(connection);
      return;
    }
    for (const Way way : kWays) {
      if ((seen[Index(way)].revents & ~POLLOUT) != 0) Read(connection, way);
    }
    for (const Way way : kWays) {
      if (!connection.closed && Due(connection, way)) Write(connection, way);
    }
    const auto through = [&](const Flow& flow) {
      return connection.forgotten ? flow.ended : flow.over;
    };
    if (!connection.closed && std::all_of(connection.flows.begin(),
                                          connection.flows.end(), through)) {
      Close(connection);
    }
  }

  void HearTarget(Connection& connection) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection.sockets[1].number(), SOL_SOCKET, SO_ERROR, &error,
               &size);
    if (error == 0) {
      connection.connecting = false;
    } else {
      AskNextTarget(connection);
    }
  }

  void Read(Connection& connection, Way way) {
    Flow& flow = connection.flows[Index(way)];
    if (connection.closed || flow.ended) return;
    const bool lost = Lost(connection, way);
    const size_t room = lost ? kRoom : kRoom - flow.held_bytes;
    if (room == 0) return;
    const ssize_t got =
        recv(connection.sockets[Index(way)].number(), buffer_.data(), room, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) flow.ended = true;
    if (lost) {
      connection.torn = true;
      counts_.bytes_lost += std::max<ssize_t>(got, 0);
    } else if (got < 0) {
      CutOne(connection);
    } else {
      flow.held.push_back({now_, std::string(buffer_.data(), got)});
      flow.held_bytes += got;
    }
  }

  void Write(Connection& connection, Way way) {
    Flow& flow = connection.flows[Index(way)];
    const int sink = connection.sockets[Index(Other(way))].number();
    const std::string& bytes = flow.held.front().bytes;
    if (bytes.empty()) {
      shutdown(sink, SHUT_WR);
      flow.over = true;
      flow.held.pop_front();
      return;
    }
    bool cut_here = scissors_.has_value() && scissors_->way == way;
    if (cut_here && !scissors_->before.empty()) {
      if (bytes.find(scissors_->before, flow.written) != std::string::npos) {
        scissors_.reset();
        CutOne(connection);
        return;
      }
      cut_here = false;
    }
    size_t most = std::min(bytes.size() - flow.written, largest_piece_);
    if (cut_here && !scissors_->whole) {
      most =
          std::min(most, static_cast<size_t>(scissors_->bytes - flow.counted));
    }
    if (most > 0) {
      const ssize_t passed =
          send(sink, bytes.data() + flow.written, most, MSG_NOSIGNAL);
      if (passed < 0) {
        if (errno != EAGAIN && errno != EINTR) SinkFailed(connection, way);
        return;
      }
      Passed(flow, way, static_cast<size_t>(passed));
    }
    const bool enough =
        cut_here && (scissors_->whole ? flow.held.empty()
                                      : flow.counted == scissors_->bytes);
    if (enough) {
      scissors_.reset();
      CutOne(connection);
    }
  }

  void Passed(Flow& flow, Way way, size_t bytes) {
    flow.counted += static_cast<int64_t>(bytes);
    (way == Way::kToTarget ? counts_.bytes_to_target
                           : counts_.bytes_to_client) +=
        static_cast<int64_t>(bytes);
    flow.held_bytes -= bytes;
    flow.written += bytes;
    if (flow.written < flow.held.front().bytes.size()) return;
    flow.held.pop_front();
    flow.written = 0;
  }

  // The failure is news of the sink for the source: it is lost where news of
  // the sink are.
  void SinkFailed(Connection& connection, Way way) {
    if (!Lost(connection, Other(way))) {
      CutOne(connection);
      return;
    }
    connection.flows[Index(way)].lost = true;
    DropHeld(connection, way);
  }

  void DropHeld(Connection& connection, Way way) {
    Flow& flow = connection.flows[Index(way)];
    if (flow.held.empty()) return;
    connection.torn = true;
    counts_.bytes_lost += static_cast<int64_t>(flow.held_bytes);
    flow.held.clear();
    flow.held_bytes = 0;
    flow.written = 0;
  }

  void CutOne(Connection& connection) {
    if (connection.closed) return;
    ++counts_.cut;
    Close(connection);
  }

  void Close(Connection& connection) {
    connection.closed = true;
    for (Descriptor& socket : connection.sockets) socket = Descriptor();
  }

  const std::string path_;  // of a unix socket, or empty
  const Address here_;
  std::vector<Address> targets_;
  const Descriptor wake_;

  std::mutex mutex_;  // holds those three
  std::vector<std::function<void()>> commands_;
  int64_t commands_given_ = 0;
  int64_t commands_done_ = 0;
  std::condition_variable done_;

  Descriptor listener_;
  std::vector<std::unique_ptr<Connection>> connections_;
  size_t next_target_ = 0;
  std::array<absl::Duration, 2> delays_;
  std::array<bool, 2> lost_ = {};
  bool half_open_ = false;
  size_t largest_piece_ = kRoom;
  std::optional<Scissors> scissors_;
  Counts counts_;
  std::array<char, kRoom> buffer_;
  absl::Time now_;
  bool stop_ = false;
  std::thread thread_;
};

Line::Line(Options options)
    : switchboard_(std::make_unique<Switchboard>(std::move(options))) {}
Line::~Line() = default;

void Line::Delay(Way way, absl::Duration delay) {
  switchboard_->Do([&] { switchboard_->Delay(way, delay); });
}
void Line::Trickle(size_t bytes) {
  switchboard_->Do([&] { switchboard_->Trickle(bytes); });
}
void Line::Lose(Way way) {
  switchboard_->Do([&] { switchboard_->Lose(way); });
}
void Line::HalfOpen() {
  switchboard_->Do([&] { switchboard_->HalfOpen(); });
}
void Line::Forget() {
  switchboard_->Do([&] { switchboard_->Forget(); });
}
void Line::Cut() {
  switchboard_->Do([&] { switchboard_->CutAll(); });
}
void Line::Partition() {
  switchboard_->Do([&] { switchboard_->Partition(); });
}
void Line::CutAfter(Way way, int64_t bytes) {
  switchboard_->Do(
      [&] { switchboard_->SetScissors({.way = way, .bytes = bytes}); });
}
void Line::CutBeforeReplyWith(std::string text) {
  switchboard_->Do([&] {
    switchboard_->SetScissors({.way = Way::kToClient, .before = text});
  });
}
void Line::CutAfterRequest() {
  switchboard_->Do([&] {
    switchboard_->SetScissors({.way = Way::kToTarget, .whole = true});
  });
}
void Line::Calm() {
  switchboard_->Do([&] { switchboard_->Calm(); });
}
Line::Counts Line::Seen() {
  Counts counts;
  switchboard_->Do([&] { counts = switchboard_->Seen(); });
  return counts;
}

}  // namespace mtp::tests
