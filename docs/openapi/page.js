// Lists the calls of each OpenAPI document with the part of the document that describes them. The documents are written
// in YAML with two spaces a level: paths are the keys of the second level below `paths:`, methods those of the third.
const documents = ['gateway.yaml', 'auth.yaml', 'acad.yaml'];
const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];

function element(name, text, className) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

const indent = (line) => line.length - line.trimStart().length;

// The calls below `paths:`: [{ method, path, summary, lines }].
export function calls(yaml) {
  const lines = yaml.split('\n');
  const found = [];
  let path = null;
  let call = null;
  let inside = false;
  for (const line of lines) {
    if (/^\S/.test(line)) inside = line.startsWith('paths:');
    if (!inside || line.trim() === '') continue;
    const key = line.trim().replace(/:.*$/, '').replace(/^['"]|['"]$/g, '');
    if (indent(line) === 2) {
      path = key;
      call = null;
    } else if (indent(line) === 4) {
      call = methods.includes(key) ? { method: key, path, summary: '', lines: [] } : null;
      if (call) found.push(call);
    } else if (call) {
      if (indent(line) === 6 && line.trim().startsWith('summary:')) call.summary = line.trim().slice(8).trim();
      call.lines.push(line.slice(6));
    }
  }
  return found;
}

function section(name, yaml) {
  const node = element('section');
  const title = yaml.match(/^ {2}title: *(.+)$/m);
  node.append(element('h2', title ? title[1] : name));
  const source = element('p');
  const link = element('a', name);
  link.href = `/docs/${name}`;
  source.append(link);
  node.append(source);
  for (const call of calls(yaml)) {
    const details = element('details');
    const summary = element('summary');
    summary.append(element('b', call.method.toUpperCase(), call.method), element('code', call.path), call.summary);
    details.append(summary, element('pre', call.lines.join('\n')));
    node.append(details);
  }
  return node;
}

const main = document.getElementById('documents');
for (const name of documents) {
  const answer = await fetch(`/docs/${name}`);
  if (answer.ok) main.append(section(name, await answer.text()));
}
