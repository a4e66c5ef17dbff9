#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "absl/strings/str_join.h"
#include "tests/faults/judge.h"
#include "tests/faults/workload.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

// A file system of its own, seen by this process and those it starts only, and
// gone with them.
class SmallDisk {
 public:
  SmallDisk() {
    char folder[] = "/tmp/mtp-disk-XXXXXX";
    REQUIRE(mkdtemp(folder) != nullptr);
    folder_ = folder;
    mounted_ =
        unshare(CLONE_NEWNS) == 0 &&
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount("tmpfs", folder, "tmpfs", 0, "size=700m,mode=0755") == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
    rmdir(folder_.c_str());
  }

  bool mounted() const { return mounted_; }
  const std::string& folder() const { return folder_; }

  // Until there is no byte left.
  void Fill() const {
    const int file =
        open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::string block(1 << 16, 'x');
    for (size_t size = block.size(); size > 0;) {
      if (write(file, block.data(), size) < 0) size /= 2;
    }
    close(file);
  }
  void Free() const { unlink(filler().c_str()); }

 private:
  std::string filler() const { return folder_ + "/filler"; }

  std::string folder_;
  bool mounted_ = false;
};

TEST_CASE("a full disk loses nothing, and when there is room work goes on") {
  const SmallDisk disk;
  if (!disk.mounted()) {
    WARN("not tested: this user may not mount a file system");
    return;
  }
  Cluster cluster(Cluster::Durability::kDurable, disk.folder());
  Stack stack({.cluster = &cluster, .flags = {"--poison-retry-seconds", "1"}});
  Book book;
  Floor floor(stack, book);
  Judge judge(stack, 1);
  Workload workload(stack, floor, book, 7);
  const auto done = [&] { return book.deeds().size(); };
  REQUIRE(Eventually([&] { return done() > 200; }));

  disk.Fill();
  const Sql superuser = cluster.Superuser();
  REQUIRE(Eventually([&] {
    return !superuser.Try("SELECT pg_switch_wal()").ok() ||
           !superuser
                .Try(
                    "CREATE TABLE no_room AS SELECT repeat('x', 9999) "
                    "FROM generate_series(1, 9999)")
                .ok();
  }));
  // People meet it.
  const size_t before = done();
  Eventually([&] { return done() > before + 100; }, absl::Seconds(2));

  disk.Free();
  cluster.Start();
  judge.WaitUntilBack([] {}, /*late=*/false);
  const size_t after = done();
  CHECK(Eventually([&] { return done() > after + 100; }));
  workload.Stop();
  judge.Settle(book);
  judge.Examine(
      book, {Echo::Of(stack, SIDE_ORDER), Echo::Of(stack, SIDE_PROCESSING)});
  CHECK(absl::StrJoin(judge.findings(), "\n\n") == "");
}

}  // namespace
}  // namespace mtp::tests
