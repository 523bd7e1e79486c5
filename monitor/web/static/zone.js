// Chooses the reader's own time zone in a form that nobody has filled in yet. Without it, the zone is guessed from the
// language that the browser asks for, and the reader chooses.
for (const list of document.querySelectorAll("select[data-guess]")) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...list.options].some((option) => option.value === zone)) {
    list.value = zone;
  }
}
