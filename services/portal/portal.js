// The portal: sign in, then the own record (mahasiswa) or everybody's (dosen, admin).
// The access token lives in memory only. The refresh token is kept per tab, so that a reload does not sign out and
// another tab has a session of its own.

const $ = (id) => document.getElementById(id);
const kRefreshKey = "refresh_token";

let accessToken = null;
let refreshing = null; // one refresh at a time: a second use of the same token would look like theft

class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || "Layanan sedang tidak tersedia. Coba lagi sebentar lagi.");
    this.status = status;
    this.retryAfter = null;
  }
}

async function send(method, path, body) {
  const headers = {};
  if (accessToken) headers.Authorization = `Bearer ${accessToken}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new ApiError(0, { detail: "Tidak dapat menghubungi layanan. Periksa sambungan Anda." });
  }
  if (response.ok) return response;
  const error = new ApiError(response.status, await response.json().catch(() => ({})));
  error.retryAfter = response.headers.get("Retry-After");
  throw error;
}

function keepTokens(tokens) {
  accessToken = tokens.access_token;
  sessionStorage.setItem(kRefreshKey, tokens.refresh_token);
}

function forgetTokens() {
  accessToken = null;
  sessionStorage.removeItem(kRefreshKey);
}

async function refresh() {
  const token = sessionStorage.getItem(kRefreshKey);
  if (!token) throw new ApiError(401, { detail: "Silakan masuk terlebih dahulu." });
  accessToken = null;
  keepTokens(await (await send("POST", "/api/auth/refresh", { refresh_token: token })).json());
}

// A call with the access token; when it has run out, once more with a new one.
async function call(method, path, body) {
  try {
    return await send(method, path, body);
  } catch (error) {
    if (error.status !== 401) throw error;
  }
  refreshing ??= refresh().finally(() => { refreshing = null; });
  await refreshing;
  return send(method, path, body);
}

const getJson = async (path) => (await call("GET", path)).json();

// ---- what is shown

function notice(text) {
  $("notice").textContent = text || "";
  $("notice").hidden = !text;
}

function show(...ids) {
  for (const id of ["login", "students", "record"]) $(id).hidden = !ids.includes(id);
}

function row(...cells) {
  const tr = document.createElement("tr");
  for (const cell of cells) {
    const td = document.createElement("td");
    td.append(cell ?? "–");
    tr.append(td);
  }
  return tr;
}

function svg(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function drawChart(terms) {
  const [left, right, top, bottom] = [40, 620, 20, 220];
  const x = (i) => (terms.length < 2 ? (left + right) / 2 : left + (i * (right - left)) / (terms.length - 1));
  const y = (value) => bottom - (value / 4) * (bottom - top);
  const parts = [];
  for (let grade = 0; grade <= 4; grade += 1) {
    parts.push(svg("line", { class: "grid", x1: left, x2: right, y1: y(grade), y2: y(grade) }));
    parts.push(svg("text", { x: left - 24, y: y(grade) + 4 }, grade.toFixed(0)));
  }
  terms.forEach((term, i) => parts.push(svg("text", { x: x(i) - 6, y: bottom + 20 }, term.semester ?? term.kode_semester)));
  for (const key of ["ips", "ipk"]) {
    const points = terms.map((term, i) => [x(i), term[key]]).filter(([, value]) => value !== null);
    parts.push(svg("polyline", { class: key, points: points.map(([px, value]) => `${px},${y(value)}`).join(" ") }));
    for (const [px, value] of points) {
      const dot = svg("circle", { class: `${key}-dot`, cx: px, cy: y(value), r: 4 });
      dot.append(svg("title", {}, `${key.toUpperCase()} ${value.toFixed(2)}`));
      parts.push(dot);
    }
  }
  parts.push(svg("text", { x: right - 150, y: 250 }, "— IPS   - - IPK"));
  $("chart").replaceChildren(...parts);
}

function summary(entries) {
  $("record-summary").replaceChildren(...entries.map(([term, value]) => {
    const group = document.createElement("div");
    const dt = document.createElement("dt");
    const dd = document.createElement("dd");
    dt.textContent = term;
    dd.textContent = value ?? "–";
    group.append(dt, dd);
    return group;
  }));
}

const twoDecimals = (value) => (value === null ? null : value.toFixed(2));

async function openRecord(nim) {
  const base = `/api/acad/mahasiswa/${encodeURIComponent(nim)}`;
  const [transcript, history, semester] = await Promise.all([
    getJson(`${base}/transkrip`), getJson(`${base}/riwayat`), getJson(`/api/acad/ips?nim=${encodeURIComponent(nim)}`)]);
  $("record-name").textContent = `${transcript.nama} (${transcript.nim}), ${transcript.jurusan} ${transcript.angkatan}`;
  summary([["IPS terakhir", twoDecimals(semester.IPS)], ["IPK", twoDecimals(transcript.ipk)],
    ["SKS lulus", transcript.sks_total], ["Predikat", transcript.predikat]]);
  drawChart(history.semester);
  $("transcript-rows").replaceChildren(...transcript.mata_kuliah.map((course) =>
    row(course.semester ?? course.kode_semester, course.kode_mk, course.nama_mk, course.sks, course.nilai)));
  $("record").hidden = false;
}

let nextPage = null;

function addStudents(list) {
  for (const student of list) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = student.nim;
    button.addEventListener("click", () => guarded(() => openRecord(student.nim)));
    $("student-rows").append(row(button, student.nama, student.jurusan, student.angkatan));
  }
}

async function listStudents(path) {
  const response = await call("GET", path);
  addStudents(await response.json());
  nextPage = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("Link") || "")?.[1] ?? null;
  $("more").hidden = !nextPage;
}

async function enter() {
  const me = await getJson("/api/auth/me");
  $("who").textContent = `${me.username} (${me.role ?? "kata sandi harus diganti"}) `;
  $("account").hidden = false;
  if (me.role === "admin" || me.role === "dosen") {
    show("students");
    $("student-rows").replaceChildren();
    await listStudents("/api/acad/mahasiswa");
  } else if (me.nim) {
    show();
    await openRecord(me.nim);
  } else {
    show();
    notice("Akun Anda belum dihubungkan dengan NIM. Hubungi admin program studi.");
  }
}

function leave() {
  forgetTokens();
  $("account").hidden = true;
  $("student-rows").replaceChildren();
  $("transcript-rows").replaceChildren();
  show("login");
}

// Runs an action; what goes wrong is told, and a session that has ended leads to the sign-in form.
async function guarded(action) {
  notice("");
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401 && $("login").hidden) leave();
    notice(error.retryAfter ? `${error.message} (coba lagi dalam ${error.retryAfter} detik)` : error.message);
  }
}

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const identity = form.identity.value.trim();
  const name = identity.includes("@") ? "email" : "username";
  guarded(async () => {
    keepTokens(await (await send("POST", "/api/auth/login", { [name]: identity, password: form.password.value })).json());
    form.reset();
    await enter();
  });
});

$("logout").addEventListener("click", () => guarded(async () => {
  await call("POST", "/api/auth/logout").catch((error) => {
    if (error.status !== 401) throw error; // already ended
  });
  leave();
}));

$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  $("student-rows").replaceChildren();
  guarded(() => listStudents(`/api/acad/mahasiswa?q=${encodeURIComponent(event.target.q.value)}`));
});

$("more").addEventListener("click", () => guarded(() => listStudents(nextPage)));

if (sessionStorage.getItem(kRefreshKey)) guarded(enter);
else show("login");
