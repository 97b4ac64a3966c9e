// Long jobs in a worker made of this page's own scripts; where a frame allows none, a row at a time between redraws.
function runInBackground(job, onRow, onEnd) {
  let worker = null, stopped = false;
  const rows = rowsOf(job);
  const stop = () => { stopped = true; if (worker) worker.terminate(); };
  const here = (row = 0) => {
    if (stopped) return;
    onRow(row, MAPS[job.kind](job, row));
    if (row + 1 < rows) setTimeout(() => here(row + 1)); else onEnd();
  };
  try {
    const source = ["code", "numbers"].map((id) => byId(id).textContent).join("\n");
    const answer = "onmessage = ({data}) => { for (let k = 0; k < rowsOf(data); k++) postMessage([k, MAPS[data.kind](data, k)]); postMessage(null); };";
    worker = new Worker(URL.createObjectURL(new Blob([source, "\n", answer], {type: "text/javascript"})));
    worker.onmessage = ({data}) => { if (data) onRow(...data); else { onEnd(); stop(); } };
    worker.onerror = (event) => { event.preventDefault(); worker.terminate(); worker = null; here(); };
    worker.postMessage(job);
  } catch { here(); }
  return stop;
}
