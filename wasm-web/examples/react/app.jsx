// A picture from Git LFS as a component, with a bar while it arrives. A bundler takes the package as it is.

import { hydrate } from 'hydrant';
import { StrictMode, useEffect, useState } from 'react';
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
      const bytes = await file.bytes();
      if (controller.signal.aborted) return;
      made = URL.createObjectURL(new Blob([bytes], { type: 'image/svg+xml' }));
      setUrl(made);
    }).catch((error) => {
      // Nobody looks at what was stopped because nobody looks at it.
      if (!controller.signal.aborted) setProblem(error);
    });
    return () => {
      controller.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [endpoint, want]);

  if (problem) return <p role="alert"><b>{problem.code}</b> {problem.message}</p>;
  return url ? <img src={url} alt={want.name} /> : <progress value={share} aria-label={want.name} />;
}

const { endpoint, files } = await (await fetch('../demo.json')).json();
const [first, second] = files;
const missing = { ...first, name: 'nobody has this', oid: '0'.repeat(64) };
createRoot(document.querySelector('#root')).render(
  <StrictMode>
    <Picture endpoint={endpoint} want={first} />
    <Picture endpoint={endpoint} want={second} />
    <Picture endpoint={endpoint} want={missing} />
  </StrictMode>,
);
