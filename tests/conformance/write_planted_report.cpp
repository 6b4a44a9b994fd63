// Writes reports for the HTML checker: write_planted_report FOLDER
#include <filesystem>

#include "core/base/file.h"
#include "experiments/report/report.h"
#include "tests/core/record/planted_sweep.h"
#include "tests/experiments/report/planted_law.h"

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  std::filesystem::create_directories(folder);
  bitlaw::SweepFile planted = bitlaw::planted_law(true);
  planted.fits.push_back(bitlaw::planted_fit(planted));
  bitlaw::write_file_atomically(folder / "planted.html", bitlaw::html_report(planted));
  bitlaw::write_file_atomically(folder / "planted.txt", bitlaw::text_report(planted));
  bitlaw::write_file_atomically(folder / "strange.html", bitlaw::html_report(bitlaw::planted_sweep()));
  bitlaw::SweepFile empty;
  empty.experiment = "empty";
  bitlaw::write_file_atomically(folder / "empty.html", bitlaw::html_report(empty));
}
