#include "tests/support/papers.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "catch2/catch.hpp"
#include "tests/support/process.h"

namespace mtp::tests {
namespace {

// A printer's resolution, and less than what label printers have.
constexpr char kDotsPerInch[] = "200";

// A folder that is gone with its test.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/mtp_papers_XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string Path(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }
  // The path of a file with this content.
  std::string File(std::string_view name, const std::string& content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
    return Path(name);
  }

 private:
  std::string path_;
};

// zbar exits with 4 when there is no code.
std::set<std::string> CodesIn(const std::string& path) {
  std::set<std::string> codes;
  const Outcome outcome = Run({"zbarimg", "--nodbus", "-Sdisable",
                               "-Sqrcode.enable", "--quiet", "--raw", path});
  for (const absl::string_view line :
       absl::StrSplit(outcome.output, '\n', absl::SkipEmpty())) {
    codes.insert(std::string(line));
  }
  return codes;
}

}  // namespace

std::set<std::string> CodesInPng(const std::string& png) {
  const Folder folder;
  return CodesIn(folder.File("label.png", png));
}

std::set<std::string> CodesInSvg(const std::string& svg) {
  const Folder folder;
  const std::string drawn = folder.Path("label.png");
  RunOrFail({"rsvg-convert", "--dpi-x", kDotsPerInch, "--dpi-y", kDotsPerInch,
             "--output", drawn, folder.File("label.svg", svg)});
  return CodesIn(drawn);
}

std::set<std::string> CodesInPdf(const std::string& pdf) {
  const Folder folder;
  RunOrFail({"pdftoppm", "-r", kDotsPerInch, "-png",
             folder.File("note.pdf", pdf), folder.Path("page")});
  std::set<std::string> codes;
  for (int page = 1; page <= PagesInPdf(pdf); ++page) {
    for (const char* form : {"page-%d.png", "page-%02d.png"}) {
      char name[32];
      std::snprintf(name, sizeof name, form, page);
      if (std::filesystem::exists(folder.Path(name)))
        codes.merge(CodesIn(folder.Path(name)));
    }
  }
  return codes;
}

std::string TextInPdf(const std::string& pdf) {
  const Folder folder;
  const std::string text = folder.Path("note.txt");
  RunOrFail({"pdftotext", "-layout", folder.File("note.pdf", pdf), text});
  return ReadFile(text);
}

int PagesInPdf(const std::string& pdf) {
  const Folder folder;
  for (absl::string_view line : absl::StrSplit(
           RunOrFail({"pdfinfo", folder.File("note.pdf", pdf)}), '\n')) {
    int pages = 0;
    if (absl::ConsumePrefix(&line, "Pages:") && absl::SimpleAtoi(line, &pages))
      return pages;
  }
  FAIL("pdfinfo tells no pages");
  return 0;
}

}  // namespace mtp::tests
