// A picture from Git LFS as a component, with a bar while it arrives. A bundler takes the package as it is.

import { hydrate } from 'hydrant';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

function Picture({ endpoint, want }) {
  const [share, setShare] = useState(0);
  const [url, setUrl] = useState();
  const [problem, setProblem] = useState();

  useEffect(() => {
    const controller = new AbortController();
    let made;
    const onProgress = ({ done, total }) => setShare(done / total);
    hydrate({ endpoint, wants: [want], signal: controller.signal, onProgress }).then(async ([file]) => {
      if (file.error) throw file.error;
      made = URL.createObjectURL(new Blob([await file.bytes()], { type: 'image/svg+xml' }));
      setUrl(made);
    }).catch(setProblem);
    return () => {
      controller.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [endpoint, want]);

  if (problem) return <p role="alert">{problem.code}: {problem.message}</p>;
  return url ? <img src={url} alt={want.name} /> : <progress value={share} />;
}

const { endpoint, files } = await (await fetch('../demo.json')).json();
const [first, second] = files;
createRoot(document.querySelector('#root')).render(
  <>
    <Picture endpoint={endpoint} want={first} />
    <Picture endpoint={endpoint} want={second} />
    <Picture endpoint={endpoint} want={{ ...first, name: 'nobody has this', oid: '0'.repeat(64) }} />
  </>,
);
