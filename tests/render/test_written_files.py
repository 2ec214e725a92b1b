# ruff: noqa: E501  (one program a line)
"""What a program writes it finds again, by every call that plain Python has for it, and nobody else does."""
import pytest

from rrvf_lab.render import Renderer

START = """import os, io
import matplotlib.pyplot as plt
plt.figure(figsize=(3, 2))
plt.plot([1, 2])
"""
FINDS = {   # each raises where a call sees something else than plain Python's would
    'exists': "plt.savefig('a.png'); assert os.path.exists('a.png') and os.path.getsize('a.png')>0",
    'noext': "plt.savefig('a'); assert os.path.exists('a.png')",
    'stat': "plt.savefig('a.png'); assert os.stat('a.png').st_size>0",
    'listdir': "plt.savefig('a.png'); assert os.listdir('.')==['a.png']",
    'scandir': "plt.savefig('a.png'); assert [e.name for e in os.scandir()]==['a.png']",
    'walk': "os.makedirs('x/y'); plt.savefig('x/y/a.png'); assert [f for _,_,f in os.walk('.')][-1]==['a.png']",
    'glob': "import glob; plt.savefig('a.png'); assert glob.glob('*.png')==['a.png']",
    'pathglob': "from pathlib import Path; plt.savefig('a.png'); assert [p.name for p in Path('.').glob('*.png')]==['a.png'] and list(Path().rglob('*.png'))",
    'iterdir': "from pathlib import Path\nout = Path('plots'); out.mkdir(exist_ok=True)\nassert out.is_dir()\nplt.savefig(out / 'a.png')\nassert [p.name for p in out.iterdir()] == ['a.png']",
    'rename': "plt.savefig('a.png'); os.rename('a.png','b.png'); assert os.path.exists('b.png') and not os.path.exists('a.png')",
    'replace': "plt.savefig('a.png'); os.replace('a.png','b.png'); assert os.path.isfile('b.png')",
    'pathrename': "from pathlib import Path; plt.savefig('a.png'); Path('a.png').rename('b.png'); assert Path('b.png').is_file()",
    'remove': "plt.savefig('a.png'); os.remove('a.png'); assert not os.path.exists('a.png')",
    'unlink': "from pathlib import Path; plt.savefig('a.png'); Path('a.png').unlink(); assert not Path('a.png').exists()",
    'shutilcopy': "import shutil; plt.savefig('a.png'); shutil.copy('a.png','b.png'); shutil.copy2('a.png','c.png'); shutil.copyfile('a.png','d.png'); assert len(os.listdir())==4",
    'move': "import shutil; os.mkdir('d'); plt.savefig('a.png'); shutil.move('a.png','d'); assert os.listdir('d')==['a.png']",
    'rmtree': "import shutil; os.makedirs('d/e'); open('d/e/f','w').close(); shutil.rmtree('d'); assert not os.path.exists('d')",
    'copytree': "import shutil; os.makedirs('d/e'); open('d/e/f','w').close(); shutil.copytree('d','g'); assert os.path.exists('g/e/f')",
    'rmdir': "os.mkdir('d'); os.rmdir('d'); assert not os.path.isdir('d')",
    'ntf': "import tempfile\nwith tempfile.NamedTemporaryFile(suffix='.png', delete=False) as f: plt.savefig(f.name)\nassert os.path.getsize(f.name)>0",
    'ntf2': "import tempfile\nwith tempfile.NamedTemporaryFile('w', suffix='.csv') as f:\n  f.write('1,2'); f.flush(); assert open(f.name).read()=='1,2'",
    'tempdir': "import tempfile\nwith tempfile.TemporaryDirectory() as d:\n  p=os.path.join(d,'a.png'); plt.savefig(p); assert os.path.exists(p)\nassert not os.path.exists(d)",
    'mkstemp': "import tempfile\nfd,p=tempfile.mkstemp(); os.write(fd,b'x'); os.close(fd); assert open(p).read()=='x'",
    'mkdtemp': 'import tempfile\nd=tempfile.mkdtemp(); assert os.path.isdir(d)',
    'tmpfile': "import tempfile\nf=tempfile.TemporaryFile(); f.write(b'x'); f.seek(0); assert f.read()==b'x'",
    'spooled': "import tempfile\nf=tempfile.SpooledTemporaryFile(max_size=2); f.write(b'xxxx'); f.seek(0); assert f.read()==b'xxxx'",
    'tmp': "plt.savefig('/tmp/a.png'); assert os.path.exists('/tmp/a.png')",
    'access': "plt.savefig('a.png'); assert os.access('a.png', os.R_OK)",
    'savetxt': "import numpy as np; np.savetxt('a.csv', np.eye(3), delimiter=','); assert np.loadtxt('a.csv', delimiter=',').shape==(3,3)",
    'genfromtxt': "import numpy as np; open('a.csv','w').write('a,b\\n1,2\\n3,4'); assert np.genfromtxt('a.csv', delimiter=',', names=True).shape==(2,)",
    'npsave': "import numpy as np; np.save('a.npy', np.eye(3)); assert np.load('a.npy').sum()==3",
    'npz': "import numpy as np; np.savez('a.npz', x=np.eye(3)); assert np.load('a.npz')['x'].sum()==3",
    'tofile': "import numpy as np; np.eye(3).tofile('a.bin'); assert np.fromfile('a.bin').sum()==3",
    'memmap': "import numpy as np; m=np.memmap('a.bin', dtype='f4', mode='w+', shape=(3,)); m[:]=1; m.flush(); assert np.memmap('a.bin', dtype='f4', mode='r').sum()==3",
    'csv': "import pandas as pd; pd.DataFrame({'a':[1,2]}).to_csv('a.csv', index=False); assert pd.read_csv('a.csv').a.sum()==3",
    'pdjson': "import pandas as pd; pd.DataFrame({'a':[1,2]}).to_json('a.json'); assert pd.read_json('a.json').a.sum()==3",
    'pdpickle': "import pandas as pd; pd.DataFrame({'a':[1,2]}).to_pickle('a.pkl'); assert pd.read_pickle('a.pkl').a.sum()==3",
    'pdgz': "import pandas as pd; pd.DataFrame({'a':[1,2]}).to_csv('a.csv.gz', index=False); assert pd.read_csv('a.csv.gz').a.sum()==3",
    'pickle': "import pickle; pickle.dump([1],open('a','wb')); assert pickle.load(open('a','rb'))==[1]",
    'json': "import json\nwith open('a.json','w') as f: json.dump([1],f)\nassert json.load(open('a.json'))==[1]",
    'csvmod': "import csv\nwith open('a.csv','w',newline='') as f: csv.writer(f).writerow([1,2])\nassert list(csv.reader(open('a.csv')))==[['1','2']]",
    'sqlite': "import sqlite3; c=sqlite3.connect('a.db'); c.execute('create table t(x)'); c.execute('insert into t values(1)'); c.commit(); assert os.path.exists('a.db')",
    'shelve': "import shelve; s=shelve.open('s'); s['a']=1; s.close(); assert shelve.open('s')['a']==1",
    'zip': "import zipfile; z=zipfile.ZipFile('a.zip','w'); z.writestr('x','y'); z.close(); assert zipfile.ZipFile('a.zip').read('x')==b'y'",
    'tar': "import tarfile; open('x','w').write('y'); t=tarfile.open('a.tar','w'); t.add('x'); t.close(); assert tarfile.open('a.tar').getnames()==['x']",
    'gzip': "import gzip; gzip.open('a.gz','wt').write('y'); ",
    'pil': "from PIL import Image; plt.savefig('a.png'); assert Image.open('a.png').size==(300,200)",
    'pilsave': "from PIL import Image; Image.new('RGB',(9,9)).save('b.jpg'); assert Image.open('b.jpg').size==(9,9)",
    'imread': "plt.savefig('a.png'); assert plt.imread('a.png').shape==(200,300,4)",
    'imsave': "import numpy as np; plt.imsave('b.png', np.eye(3)); assert plt.imread('b.png').shape[:2]==(3,3)",
    'savejpg': "from PIL import Image; plt.savefig('a.jpg'); assert Image.open('a.jpg').format=='JPEG'",
    'savesvg': "plt.savefig('a.svg'); assert '<svg' in open('a.svg').read()",
    'savepdf': "plt.savefig('a.pdf'); assert open('a.pdf','rb').read(4)==b'%PDF'",
    'chdir': "os.mkdir('d'); os.chdir('d'); plt.savefig('a.png'); assert os.listdir()==['a.png']",
    'utime': "plt.savefig('a.png'); os.utime('a.png',(1,1)); assert os.path.getmtime('a.png')==1",
    'touch': "from pathlib import Path; Path('a').touch(); assert Path('a').exists()",
    'writetext': "from pathlib import Path; Path('a').write_text('x'); assert Path('a').read_text()=='x' and Path('a').stat().st_size==1",
    'symlink': "open('a','w').write('x'); os.symlink('a','b'); assert os.path.islink('b') and open('b').read()=='x'",
    'link': "open('a','w').write('x'); os.link('a','b'); assert os.path.samefile('a','b')",
    'chmod': "open('a','w').write('x'); os.chmod('a',0o600); assert os.stat('a').st_mode&0o777==0o600",
    'truncate': "open('a','w').write('xyz'); os.truncate('a',1); assert open('a').read()=='x'",
    'append': "open('a','w').write('x'); open('a','a').write('y'); assert open('a').read()=='xy'",
    'rplus': "open('a','w').write('xz')\nwith open('a','r+') as f: f.write('y')\nassert open('a').read()=='yz'",
    'xmode': "open('a','x').close()\ntry: open('a','x'); assert 0\nexcept FileExistsError: pass",
    'isfile': "open('a','w').close(); assert os.path.isfile('a') and not os.path.isdir('a')",
    'makedirs': "os.makedirs('a/b/c', exist_ok=True); os.makedirs('a/b/c', exist_ok=True); assert os.path.isdir('a/b/c')",
    'makedirs_twice': "os.makedirs('a')\ntry: os.makedirs('a'); assert 0\nexcept FileExistsError: pass",
    'ifnot': "if not os.path.exists('out'): os.makedirs('out')\nplt.savefig('out/a.png', dpi=100); assert os.path.exists('out/a.png')",
    'osopen': "fd=os.open('a',os.O_CREAT|os.O_RDWR); os.write(fd,b'x'); os.lseek(fd,0,0); assert os.read(fd,1)==b'x'; os.close(fd)",
    'fileio': "import io; f=io.FileIO('a','w'); f.write(b'x'); f.close(); assert os.path.getsize('a')==1",
    'logging': "import logging; logging.basicConfig(filename='a.log', force=True); logging.error('x'); assert 'x' in open('a.log').read()",
    'config': "import configparser; c=configparser.ConfigParser(); c['a']={'b':'1'}; c.write(open('a.ini','w')); ",
    'home': "p=os.path.expanduser('~/a.png'); plt.savefig(p); assert os.path.exists(p)",
    'pathhome': "from pathlib import Path; p=Path.home()/'charts'; p.mkdir(); assert p.is_dir()",
    'buffered': "f=open('a','wb',0); f.write(b'x'); assert os.fstat(f.fileno()).st_size==1",
    'devnull': "import contextlib\nwith open(os.devnull,'w') as f, contextlib.redirect_stdout(f): print('x')",
    'pdfpages': "from matplotlib.backends.backend_pdf import PdfPages\nwith PdfPages('a.pdf') as p: p.savefig()\nassert os.path.getsize('a.pdf')>0",
    'gif': "from matplotlib.animation import FuncAnimation, PillowWriter\nf=plt.gcf(); l,=plt.gca().plot([1,2]); a=FuncAnimation(f, lambda i: l.set_ydata([i,2]), frames=2); a.save('a.gif', writer='pillow'); assert os.path.getsize('a.gif')>0",
    'getmtime': "plt.savefig('a.png'); assert os.path.getmtime('a.png')>0",
    'getcwd': "plt.savefig(os.path.join(os.getcwd(),'a.png')); assert os.path.exists('a.png')",
    'file': "d=os.path.dirname(os.path.abspath(__file__)); plt.savefig(os.path.join(d,'a.png')); assert os.path.exists('a.png')",
    'diskusage': "import shutil; shutil.disk_usage('.')",
    'readlines': "open('a','w').writelines(['a\\n','b\\n']); assert open('a').readlines()==['a\\n','b\\n']",
    'excel': "import pandas as pd; pd.DataFrame({'a':[1]}).to_html('a.html'); assert os.path.exists('a.html')",
    'missing': "try: open('nothere.csv'); assert 0\nexcept FileNotFoundError: pass",
    'missing2': "import pandas as pd\ntry: pd.read_csv('nothere.csv'); assert 0\nexcept FileNotFoundError: pass",
    'fileinput': "import fileinput; open('a','w').write('x'); assert list(fileinput.input('a'))==['x']",
    'filecmp': "import filecmp; open('a','w').write('x'); open('b','w').write('x'); assert filecmp.cmp('a','b')",
    'dirfd': "fd=os.open('.',os.O_RDONLY); os.mkdir('q',dir_fd=fd); assert os.listdir(fd)==['q']",
    'nofolder': "plt.savefig('no/such/a.png')",
    'walkrel': "plt.savefig('a.png', bbox_inches='tight'); plt.close(); im=plt.imread('a.png'); plt.figure(); plt.imshow(im)",
}
FIRST = ["exists", "iterdir", "rename", "ntf2", "tempdir", "savetxt", "makedirs_twice", "savesvg"]


@pytest.fixture(scope="module")
def renderer():
    with Renderer(workers=2) as renderer:
        if renderer.isolation.level != "namespaces":
            pytest.skip("a folder of its own needs namespaces and Landlock")
        yield renderer


@pytest.mark.parametrize("name", FIRST)
def test_a_program_finds_what_it_wrote(renderer, name):
    rendering = renderer.render(START + FINDS[name])
    assert rendering.error is None and rendering.image.size == (300, 200)


@pytest.mark.slow
def test_every_call_finds_what_the_program_wrote(renderer):
    assert len(FINDS) >= 90
    renderings = renderer.map([START + code for code in FINDS.values()])
    assert not {name: r.error for name, r in zip(FINDS, renderings, strict=True) if r.image is None}


def test_the_next_program_finds_an_empty_folder(renderer):
    look = "print(os.listdir('.'), os.listdir(os.environ['TMPDIR']), os.listdir('/tmp'))"
    for n in range(3):
        rendering = renderer.render(START + f"{look}\nopen('a', 'w')\nopen('/tmp/b', 'w')  # {n}")
        assert rendering.printed == "[] [] []\n"


def test_two_programs_at_a_time_do_not_meet(renderer):
    code = START + "import time\nopen('/tmp/{0}', 'w').close()\nt = time.process_time()\n" \
                   "while time.process_time() < t + .3: assert os.listdir('/tmp') == ['{0}']"
    assert [r.error for r in renderer.map([code.format(n) for n in "ab"])] == [None, None]


def test_the_folder_is_bounded_and_a_full_one_costs_no_picture(renderer):
    code = START + """try:
    for n in range(9):
        with open(f'f{n}', 'wb') as file: file.write(bytes(8 * 2**20))
except OSError as error:
    print(error.strerror)
plt.savefig('a.png')
print(os.path.exists('f0'))"""
    rendering = renderer.render(code)
    assert rendering.printed == "No space left on device\nTrue\n" and rendering.image.size == (300, 200)


def test_a_saved_picture_that_nobody_looks_at_is_never_encoded(renderer):
    code = START + "import PIL.Image\nPIL.Image.Image.save = None\nplt.savefig('a.png')"
    assert renderer.render(code).error is None
    assert "NoneType" in renderer.render(code + "\nos.stat('a.png')").error


def test_a_folder_that_is_not_there_costs_no_picture(renderer):
    assert renderer.render(START + "plt.savefig('/no/such/folder/a.png')").image is not None
